package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

// block returns a fenced block of docs/serving.md.
func block(t *testing.T, info string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/serving.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```"+info+"\n")
	text, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatalf("docs/serving.md has no block %s", info)
	}
	return text
}

// nginx runs a configuration of the documentation as an ordinary user's
// process would, on a port of its own.
func nginx(t *testing.T, server string, replace ...string) (address string) {
	t.Helper()
	needs.Program(t, "nginx", "its test was left out")
	l := listen(t)
	address = l.Addr().String()
	l.Close()
	dir := t.TempDir()
	text := "daemon off;\nmaster_process off;\npid pid;\nerror_log error.log;\nevents {}\nhttp {\naccess_log off;\n"
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += what + "_temp_path " + what + ";\n"
	}
	text += strings.NewReplacer(append([]string{"listen 80;", "listen " + address + ";"}, replace...)...).Replace(server) + "\n}\n"
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("nginx", "-p", dir, "-e", "stderr", "-c", config)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return address
		}
		select {
		case err = <-ended:
			ended <- err
			err = errors.Join(errors.New("nginx has ended"), err)
		default:
			err = nil
		}
		if err != nil || time.Now().After(deadline) {
			body, _ := os.ReadFile(out.Name())
			t.Fatalf("%v\n%s\n%s", err, body, text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestNginx holds the documented configuration against our own server: the
// same names, and the same advice to caches.
func TestNginx(t *testing.T) {
	dir := testTree(t)
	for parent := dir; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil { // nginx drops root
			t.Fatal(err)
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".lock", "notes.asc", "dists/stable/.InRelease.1", "dists/stable/main/by-hash/SHA256/.x", "pool/.x/a.deb", "yum/stable/.x", "yum/stable/Packages/.x"} {
		put(t, dir, name, "secret")
	}
	if err := os.Symlink(secret, filepath.Join(dir, "pool/link")); err != nil {
		t.Fatal(err)
	}
	ours := start(t, dir, Options{}).address
	theirs := nginx(t, block(t, "nginx"), "root /srv/repository;", "root "+dir+";")
	f := func(name string, want int) {
		t.Helper()
		our, ourBody := ask(t, "GET", ours, "/"+name)
		their, theirBody := ask(t, "GET", theirs, "/"+name)
		status := their.StatusCode
		if want == 404 && (status == 403 || status == 301) {
			status = 404 // nginx hides no folder, and calls a link forbidden
		}
		if our.StatusCode != want || status != want || strings.Contains(theirBody, "secret") {
			t.Errorf("%s: ours %s, nginx %s, want %d", name, our.Status, their.Status, want)
		}
		if want == 200 && (ourBody != theirBody || our.Header.Get("Cache-Control") != their.Header.Get("Cache-Control")) {
			t.Errorf("%s: ours %v\nnginx %v", name, our.Header, their.Header)
		}
	}
	for _, name := range []string{"key.asc", "dists/stable/InRelease", "dists/stable/main/Contents-all.gz", byHash("a list"), debName, rpmName, repodata + "repomd.xml", repodata + "repomd.xml.asc"} {
		f(name, 200)
	}
	for _, name := range []string{
		"", "dists/", "dists/stable", "pool/main", "yum/stable/", "none", "pool/none.deb", "notes.asc", ".lock", "dists/stable/.InRelease.1",
		"dists/stable/main/by-hash/SHA256/.x", "pool/.x/a.deb", "yum/stable/.x", "yum/stable/Packages/.x", "pool/link",
	} {
		f(name, 404)
	}

	// The gap that the page names is there, and behind the proxy it is not.
	generation := 0
	publish := func() { generation++; publishPair(t, dir, fmt.Sprint("generation ", generation)) }
	if newReader(t, "http://"+theirs, "127.0.0.1").holds(publish) {
		t.Error("nginx alone has no gap: the page says otherwise")
	}
	proxy := nginx(t, block(t, "nginx-proxy"), "127.0.0.1:8080", ours)
	if !newReader(t, "http://"+proxy, "127.0.0.1").holds(publish) {
		t.Error("there is a gap behind the proxy")
	}
}
