package service

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// notifier tells systemd how far the service is (sd_notify(3)). Its zero value
// tells nobody.
type notifier struct {
	socket   string
	watchdog time.Duration // 0: nobody waits for WATCHDOG=1
}

func newNotifier(variables map[string]string, pid int) notifier {
	n := notifier{socket: variables["NOTIFY_SOCKET"]}
	usec, err := strconv.ParseInt(variables["WATCHDOG_USEC"], 10, 64)
	forUs := variables["WATCHDOG_PID"] == "" || variables["WATCHDOG_PID"] == strconv.Itoa(pid)
	if err == nil && usec > 0 && forUs {
		n.watchdog = time.Duration(usec) * time.Microsecond
	}
	return n
}

// notifyLimit is for a systemd that does not read, whose socket is full: a stop must not wait for it.
const notifyLimit = time.Second

// send sends states like READY=1, all in one datagram.
func (n notifier) send(states ...string) error {
	if n.socket == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", n.socket) // a name that begins with @ is abstract, as in systemd
	if err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(notifyLimit)); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	if _, err := conn.Write([]byte(strings.Join(states, "\n"))); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}

// reloading is the message of a reload: systemd wants to know since when
// (Type=notify-reload in systemd.service(5)).
func reloading() []string {
	return []string{"RELOADING=1", "MONOTONIC_USEC=" + strconv.FormatInt(monotonic().Microseconds(), 10)}
}
