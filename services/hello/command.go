package main

import (
	"os"
	"strings"
)

// command does what the program is called for when it is not called to serve,
// and ends it: a migration, a check, a task. It only tells what it was called
// with, and as whom.
func command(argv []string) {
	if len(argv) == 0 || strings.HasPrefix(argv[0], "-") {
		return
	}
	logf("info", "%s %s: %s, as user %d, LOG_LEVEL=%s", name, version, strings.Join(argv, " "), os.Getuid(), os.Getenv("LOG_LEVEL"))
	if setting("HELLO_FAULT", fault) == "command" {
		logf("error", "fault command: %s", argv[0])
		os.Exit(3)
	}
	os.Exit(0)
}
