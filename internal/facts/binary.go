package facts

import (
	"debug/elf"
	"fmt"
	"io"
	"os"
)

// Binary returns the architecture of the program at path, as Go and Debian
// call it: "amd64" or "arm64". It is "" for a script, which runs on both.
// Anything else is an error, since a host could not run it.
func Binary(path string) (arch string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err // names the path
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	return Program(f, path)
}

// Program is [Binary] of what r holds. The name is for errors.
func Program(r io.ReaderAt, name string) (arch string, err error) {
	head := make([]byte, 4)
	if _, err := r.ReadAt(head, 0); err != nil {
		return "", fmt.Errorf("%s is no program, with less than 4 bytes", name)
	}
	if string(head[:2]) == "#!" {
		return "", nil
	}
	program, err := elf.NewFile(r)
	if err != nil {
		return "", fmt.Errorf("%s is no Linux program: neither ELF nor a #! script", name)
	}
	switch program.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	default:
		return "", fmt.Errorf("%s is a program for %s, where only amd64 and arm64 are supported", name, program.Machine)
	}
}
