package lab

import "syscall"

// ownSession keeps a process from the signals of our terminal.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// contained gives a process and all its descendants mounts and pids of their
// own, which end when we do, even by SIGKILL. The calling goroutine must be
// locked to its thread until the process has ended: the kernel sends the signal
// when the thread that forked is gone.
func contained() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
}
