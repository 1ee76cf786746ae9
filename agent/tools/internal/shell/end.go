package shell

import (
	"syscall"
	"time"
)

const (
	endStep  = 5 * time.Millisecond // after which it is first looked who is left; doubled each time, up to endSteps
	endSteps = 200 * time.Millisecond
	endAfter = 2 * time.Second // for how long SIGKILL is tried: a process may be in the kernel for good
)

// end ends the command and what belongs to it: SIGTERM at once, SIGKILL after the grace, again and again, since what forks in a hurry
// may get away. It returns when all have ended, or cannot be ended.
func (p *process) end(grace time.Duration) {
	begun, killed := time.Now(), time.Time{}
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGCONT) // a stopped process gets its signals only then
	for step := endStep; p.alive(); step = min(2*step, endSteps) {
		select {
		case <-p.over:
		case <-time.After(min(step, max(time.Until(begun.Add(grace)), endStep))):
		}
		if time.Since(begun) < grace {
			continue
		}
		p.signal(syscall.SIGKILL)
		if killed.IsZero() {
			killed = time.Now()
		}
		if time.Since(killed) > endAfter {
			p.left = "it could not be ended"
			return
		}
	}
}

// signal sends a signal to the shell's process group, which the kernel does at one stroke, and to each other member. Errors mean that it has just
// ended, or is not ours to signal.
func (p *process) signal(signal syscall.Signal) {
	if p.shellAlive() {
		_ = syscall.Kill(-p.cmd.Process.Pid, signal)
	}
	for _, pid := range p.members() {
		_ = syscall.Kill(pid, signal)
	}
}

// alive reports whether the shell runs or anything that belongs to it.
func (p *process) alive() bool { return p.shellAlive() || len(p.members()) > 0 }

func (p *process) shellAlive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}
