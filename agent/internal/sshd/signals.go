//go:build linux

package sshd

import "syscall"

// signals are those that RFC 4254 §6.10 names, without SIG.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP, "ILL": syscall.SIGILL,
	"INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE, "QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV,
	"TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
}

// signalName returns the name for exit-signal. The RFC has none for the others; this is what sshd sends.
func signalName(signal syscall.Signal) string {
	for name, s := range signals {
		if s == signal {
			return name
		}
	}
	return "SIG@openssh.com"
}
