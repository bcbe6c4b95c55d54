// Package artifact holds what rendering makes: files as plain values, on
// their way from a plan to a directory, a package or a host.
package artifact

import "io/fs"

// File is one rendered file.
type File struct {
	// Path is where `kinectl render -o DIR` puts it, relative to DIR, with
	// forward slashes: "systemd/hello.service", "ansible/playbook.yml".
	Path string
	// Install is its absolute place on a host when the package carries it,
	// and empty when it does not travel in the package.
	Install string
	// Mode is its permission bits, both in the directory and on the host.
	Mode fs.FileMode
	// Body is its content.
	Body []byte
}
