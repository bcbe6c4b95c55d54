// Command start measures for bench/secrets how long a service takes from its
// start to READY=1: start PROGRAM ROUNDS FOLDER.
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kinectl/kinectl/vault"
)

func main() {
	if err := measure(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "measure the start:", err)
		os.Exit(1)
	}
}

func measure(program, times, folder string) error {
	rounds, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	ways, err := environments(folder)
	if err != nil {
		return err
	}
	names := []string{"no secrets to decrypt", "50, one after the other", "50 secrets", "one bundle of 50"}
	took := map[string][]time.Duration{}
	for range rounds {
		for _, name := range names { // by turns, so that all have the same noise
			one, err := start(program, filepath.Join(folder, "notify"), ways[name])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			took[name] = append(took[name], one)
		}
	}
	middle := func(name string) float64 {
		slices.Sort(took[name])
		return float64(took[name][rounds/2]) / float64(time.Millisecond)
	}
	serial := middle(names[1])
	fmt.Printf("start to READY, median of %d, %d cores\n\n", rounds, runtime.NumCPU())
	for _, name := range names {
		fmt.Printf("%-26s %8.1f ms  %5.2f of one after the other%s\n", name, middle(name), middle(name)/serial, verdict(name, middle(name), serial))
	}
	return nil
}

func verdict(name string, took, serial float64) string {
	word := map[bool]string{true: "PASS", false: "FAIL"}
	switch name {
	case "50 secrets":
		return "   " + word[took <= 0.6*serial] + " at most 0.6"
	case "one bundle of 50":
		return "   " + word[took < 30] + " under 30 ms"
	}
	return ""
}

// environments are the same fifty variables in four ways.
func environments(folder string) (map[string][]string, error) {
	const secret = "the password"
	file := filepath.Join(folder, "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		return nil, err
	}
	password := vault.NewPassword("", secret)
	var plain, separate []string
	for i := range 50 {
		name, value := fmt.Sprintf("%c_SECRET_%d", 'A'+i/10, i%10), fmt.Sprintf("value of %d", i%10)
		text, err := vault.EncryptBase64([]byte(value), password)
		if err != nil {
			return nil, err
		}
		plain = append(plain, name+"="+value)
		separate = append(separate, name+"="+text)
	}
	lines := strings.ReplaceAll(strings.Join(plain, "\"\n"), "=", `="`) + "\"\n"
	bundle, err := vault.EncryptBase64([]byte(lines), password)
	if err != nil {
		return nil, err
	}
	common := []string{"VAULT_PASSWORD_FILE=" + file, "METRICS_ADDRESS=127.0.0.1:0"}
	return map[string][]string{
		"no secrets to decrypt":   append(slices.Clone(common), plain...),
		"50, one after the other": append(append(slices.Clone(common), separate...), "ONE_BY_ONE=true"),
		"50 secrets":              append(slices.Clone(common), separate...),
		"one bundle of 50":        append(slices.Clone(common), "VAULT_BUNDLE="+bundle),
	}, nil
}

// start runs the program until it is ready.
func start(program, socket string, environment []string) (time.Duration, error) {
	_ = os.Remove(socket)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return 0, err
	}
	defer notify.Close()
	var output bytes.Buffer
	c := exec.Command(program)
	c.Env = append(environment, "NOTIFY_SOCKET="+socket)
	c.Stderr = &output
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	_ = notify.SetReadDeadline(began.Add(20 * time.Second))
	message := make([]byte, 4096)
	n, err := notify.Read(message)
	took := time.Since(began)
	_ = c.Process.Signal(syscall.SIGTERM)
	if fault := c.Wait(); fault != nil || err != nil || !strings.Contains(string(message[:n]), "READY=1") {
		return 0, fmt.Errorf("%q, %v, %v\n%s", message[:n], err, fault, &output)
	}
	return took, nil
}
