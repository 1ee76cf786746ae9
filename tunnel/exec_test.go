package tunnel_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// command is what an agent does when a command is asked for.
type command func(ssh.Channel)

// run makes the agent accept one session after the other and hand its command to run.
func (a *agent) run(run command) {
	a.channels = func(nc ssh.NewChannel) bool {
		if nc.ChannelType() != sshwire.ChannelSession {
			return false
		}
		ch, requests, err := nc.Accept()
		if err != nil {
			return true
		}
		asked := make(chan struct{}, 16)
		a.wg.Go(func() {
			for req := range requests {
				req.Reply(true, nil)
				asked <- struct{}{}
			}
		})
		a.wg.Go(func() {
			<-asked
			run(ch)
		})
		return true
	}
}

func exitStatus(status uint32) []byte { return ssh.Marshal(sshwire.ExitStatus{Status: status}) }

func exitSignal(name string) []byte { return ssh.Marshal(sshwire.ExitSignal{Signal: name}) }

// TestExecEndsAsTheContainerSays has an agent that tells how a command ended in every way there is, and goes on at length.
func TestExecEndsAsTheContainerSays(t *testing.T) {
	send := func(name string, payload []byte) command {
		return func(ch ssh.Channel) { ch.SendRequest(name, false, payload) }
	}
	tests := []struct {
		name   string
		send   command
		status int // 0 means success, and -1 another error
		signal string
	}{
		{"success", send("exit-status", exitStatus(0)), 0, ""},
		{"failure", send("exit-status", exitStatus(3)), 3, ""},
		{"a status that there is not", send("exit-status", exitStatus(1<<32-256)), 255, ""},
		{"short status", send("exit-status", []byte{0, 0, 0}), -1, ""},
		{"empty status", send("exit-status", nil), -1, ""},
		{"long status", send("exit-status", make([]byte, 20_000)), -1, ""},
		{"nothing", func(ssh.Channel) {}, -1, ""},
		{"signal", send("exit-signal", exitSignal("KILL")), 137, "KILL"},
		{"signal of escapes", send("exit-signal", exitSignal("\x1b[2JTE\u202eRM\n"+strings.Repeat("9", 10_000))), 128, "2JTERM9999999999"[:16]},
		{"signal without a name", send("exit-signal", exitSignal("\x1b")), 128, "UNKNOWN"},
		{"malformed signal", send("exit-signal", []byte{0xff, 0xff, 0xff, 0xff}), -1, ""},
		{"status twice", func(ch ssh.Channel) {
			ch.SendRequest("exit-status", false, exitStatus(4))
			ch.SendRequest("exit-status", false, exitStatus(0))
		}, 4, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent(t)
				a.run(func(ch ssh.Channel) {
					io.WriteString(ch, "out")
					io.WriteString(ch.Stderr(), "problem")
					tt.send(ch)
					for range 200 { // x/crypto/ssh holds 16 that nobody takes, then stops the connection
						ch.SendRequest("exit-status", false, []byte{1})
						ch.SendRequest("x", false, nil)
					}
					ch.Close()
				})
				c, s := a.start(a.config())
				var out, errs strings.Builder
				err := c.Exec(t.Context(), "true", nil, &out, &errs)
				exit, _ := errors.AsType[*tunnel.ExitError](err)
				switch {
				case tt.status == 0 && err != nil, tt.status == -1 && (err == nil || exit != nil),
					tt.status > 0 && (exit == nil || *exit != tunnel.ExitError{Status: tt.status, Signal: tt.signal}):
					t.Errorf("exec: %v (%+v)", err, exit)
				}
				if out.String() != "out" || errs.String() != "problem" {
					t.Errorf("output %q, %q", &out, &errs)
				}
				echo(t, t.Context(), c)
				synctest.Wait()
				if p := s.phases(false); !slices.Equal(p, []string{"connecting", "connected"}) {
					t.Errorf("phases %v", p)
				}
			})
		})
	}
}

func TestExecIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.channels = func(nc ssh.NewChannel) bool {
			ch, requests, err := nc.Accept()
			if err == nil {
				a.wg.Go(func() { ssh.DiscardRequests(requests) })
				a.wg.Go(func() { io.Copy(io.Discard, ch) })
			}
			return true
		}
		c, _ := a.start(a.config())
		if err := c.Exec(t.Context(), "true", nil, nil, nil); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("exec: %v", err)
		}
		a.set(func(a *agent) {
			a.channels = func(nc ssh.NewChannel) bool { nc.Reject(ssh.Prohibited, "no\x1b[2J\u202e"); return true }
		})
		if err := c.Exec(t.Context(), "true", nil, nil, nil); err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") {
			t.Errorf("exec: %q", err)
		}
	})
}

// TestExecDoesNotWaitForStdin has a command that ends while nobody writes to its standard input.
func TestExecDoesNotWaitForStdin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.run(func(ch ssh.Channel) {
			ch.SendRequest("exit-status", false, exitStatus(0))
			ch.Close()
		})
		c, _ := a.start(a.config())
		stdin, w := io.Pipe()
		defer w.Close()
		if err := c.Exec(t.Context(), "true", stdin, nil, nil); err != nil {
			t.Errorf("exec: %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestExecTellsOfLocalFailures has a command that writes without end unless its channel is closed.
func TestExecTellsOfLocalFailures(t *testing.T) {
	full := errors.New("disk full")
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.run(func(ch ssh.Channel) {
			for {
				if _, err := ch.Write(make([]byte, 32<<10)); err != nil {
					break
				}
			}
			ch.Close()
		})
		c, _ := a.start(a.config())
		if err := c.Exec(t.Context(), "yes", nil, failing{full}, nil); !errors.Is(err, full) {
			t.Errorf("exec whose output cannot be written: %v", err)
		}
		a.set(func(a *agent) {
			a.run(func(ch ssh.Channel) {
				io.Copy(io.Discard, ch)
				ch.SendRequest("exit-status", false, exitStatus(0))
				ch.Close()
			})
		})
		if err := c.Exec(t.Context(), "cat", failing{full}, nil, nil); !errors.Is(err, full) {
			t.Errorf("exec whose input cannot be read: %v", err)
		}
		echo(t, t.Context(), c)
	})
}

func TestExecEndsWithItsContext(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := newAgent(t)
			deafen := a.deafen()
			a.run(func(ch ssh.Channel) {
				io.Copy(io.Discard, ch) // until the channel is closed
				for range 100 {
					ch.SendRequest("exit-status", false, []byte{0})
				}
			})
			c, s := a.start(a.patient())
			ctx, cancel := context.WithCancelCause(t.Context())
			stdin, w := io.Pipe()
			defer w.Close()
			ended := make(chan error)
			go func() { ended <- c.Exec(ctx, "cat", stdin, nil, nil) }()
			synctest.Wait()
			if deaf {
				deafen()
			}
			enough, start := errors.New("enough"), time.Now()
			cancel(enough)
			if err := <-ended; !errors.Is(err, enough) {
				t.Errorf("deaf %v: exec: %v", deaf, err)
			}
			want := time.Duration(0)
			if deaf {
				want = 10 * time.Second
			}
			if d := time.Since(start); d != want {
				t.Errorf("deaf %v: exec took %v, want %v", deaf, d, want)
			}
			echo(t, t.Context(), c)
			synctest.Wait()
			if p := s.phases(false); slices.Contains(p, "reconnecting") != deaf {
				t.Errorf("deaf %v: phases %v", deaf, p)
			}
		})
	}
}
