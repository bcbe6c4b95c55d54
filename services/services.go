// Package services carries the source of the example service, from which
// `kinectl init` makes a new one. The services themselves are the commands in
// the folders beside this file.
package services

import "embed"

// Hello is the source of the service hello, under "hello/".
//
//go:embed hello/main.go hello/metrics.go hello/spec.yml
var Hello embed.FS
