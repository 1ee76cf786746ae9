package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// person is somebody at a terminal in which sketch-ide runs.
type person struct {
	t    *testing.T
	tty  *os.File // the terminal's own side
	cmd  *exec.Cmd
	done chan error

	mu   sync.Mutex
	seen strings.Builder // guarded by mu
	news chan struct{}
}

func newPerson(t *testing.T, term *terminal, args ...string) *person {
	t.Helper()
	p := &person{t: t, done: make(chan error, 1), news: make(chan struct{}, 1)}
	p.cmd = command(t, append([]string{"--state-dir", term.state}, args...)...)
	p.cmd.Env = append(os.Environ(), keyVariable+"="+modelKey)
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p.tty = master
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(p.read) // ends with the terminal, which is closed below
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // has ended, unless the test failed
		slave.Close()
		master.Close()
		reading.Wait()
	})
	go func() { p.done <- p.cmd.Wait() }() // ends with the process
	return p
}

func (p *person) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.tty.Read(buffer)
		p.mu.Lock()
		p.seen.Write(buffer[:n])
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

func (p *person) types(keys string) {
	p.t.Helper()
	if _, err := p.tty.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// sees waits for a text that comes after another.
func (p *person) sees(after, text string) {
	p.t.Helper()
	deadline := time.After(agentPatience)
	for {
		screen := p.screen()
		if i := strings.LastIndex(screen, after); i >= 0 && strings.Contains(screen[i+len(after):], text) {
			return
		}
		select {
		case <-p.news:
		case err := <-p.done:
			p.t.Fatalf("it ended (%v) before %q:\n%s", err, text, p.screen())
		case <-deadline:
			p.t.Fatalf("never seen: %q\n%s", text, p.screen())
		}
	}
}

func (p *person) modes() unix.Termios {
	p.t.Helper()
	modes, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return *modes
}

// TestChatAtATerminal has a conversation as a person does: by keys, in a terminal of its own.
func TestChatAtATerminal(t *testing.T) {
	t.Parallel()
	models := newModels(t, parseScenario(t, `{"steps": [
		{"expect": {"last": ["Say hello"]}, "reply": [{"text": "Hello streamed"}, {"hold": "steer"}, {"text": " whole."}]},
		{"expect": {"last": ["in French"]}, "reply": [{"text": "Bonjour"}, {"hold": "never"}]},
		{"expect": {"last": ["And again"]}, "reply": [{"text": "Encore."}]},
	]}`))
	term := newTerminal(t, models.settings())
	p := newPerson(t, term, "chat", term.repo, "--settings", term.settings)
	before := p.modes()
	p.sees("is ready", "> ")

	p.types("Say hello\r")
	p.sees("Say hello", "Hello streamed") // while the answer is not at its end
	p.types("in French\r")
	p.sees("in French", "\n")
	models.awaitQueued(p)
	models.Release("steer")
	p.sees("whole.", "Bonjour")

	if err := pty.Setsize(p.tty, &pty.Winsize{Rows: 8, Cols: 30}); err != nil {
		t.Fatal(err)
	}
	p.types("\x03") // ends the turn, not the chat
	p.sees("Bonjour", "cancelled")
	p.sees("cancelled", "> ")
	p.types("/status\r")
	p.sees("/status", "turn 1")
	p.types("And again\r")
	p.sees("And again", "Encore.")
	p.sees("Encore.", "done")
	p.sees("done", "> ")

	p.types("\x04")
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("ctrl-D: %v\n%s", err, p.screen())
		}
	case <-time.After(agentPatience):
		t.Fatalf("ctrl-D did not end it\n%s", p.screen())
	}
	if after := p.modes(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the terminal is %+v, was %+v", after, before)
	}
	models.fine(t)
}

// awaitQueued waits until what was typed during a turn is known to be with the agent.
func (m models) awaitQueued(p *person) {
	p.t.Helper()
	p.types("/status\r")
	p.sees("/status", "thinking")
}
