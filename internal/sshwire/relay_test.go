package sshwire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// newMemWire is a wire for a synctest bubble. The transports can be stalled and cut.
func newMemWire(t testing.TB) (*wire, *memconn.Conn) {
	a, b := memconn.Pair()
	return newWire(t, sshwire.Buffer(a), sshwire.Buffer(b)), a
}

// path is application ↔ relay ↔ channel ↔ relay ↔ target, all in memory.
type path struct {
	app, target net.Conn
	ended       chan error // of the two relays
}

func newPath(t testing.TB, w *wire) path {
	client, server := w.open(t)
	app, near := memconn.Pair()
	far, target := memconn.Pair()
	p := path{app: app, target: target, ended: make(chan error, 2)}
	go func() { _, _, err := sshwire.Relay(near, client); p.ended <- err }()
	go func() { _, _, err := sshwire.Relay(server, far); p.ended <- err }()
	return p
}

func TestRelayHalfCloses(t *testing.T) {
	payload := bytes.Repeat([]byte("sketch"), 300_000)
	for _, tt := range []struct {
		name string
		flip bool
	}{{"client first", false}, {"target first", true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _ := newMemWire(t)
				p := newPath(t, w)
				first, second := p.app, p.target
				if tt.flip {
					first, second = second, first
				}
				go func() {
					first.Write(payload[:1000])
					first.(*memconn.Conn).CloseWrite()
				}()
				if got, err := io.ReadAll(second); err != nil || len(got) != 1000 {
					t.Fatalf("one way: %d bytes, %v", len(got), err)
				}
				go func() {
					second.Write(payload)
					second.Close()
				}()
				if got, err := io.ReadAll(first); err != nil || !bytes.Equal(got, payload) {
					t.Fatalf("the other way: %d bytes, %v; want %d", len(got), err, len(payload))
				}
				for range 2 {
					if err := <-p.ended; err != nil {
						t.Errorf("relay: %v", err)
					}
				}
			})
		})
	}
}

func TestRelayPassesAResetOn(t *testing.T) {
	for _, tt := range []struct {
		name string
		flip bool
	}{{"from the client", false}, {"from the target", true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _ := newMemWire(t)
				p := newPath(t, w)
				from, to := p.app, p.target
				if tt.flip {
					from, to = to, from
				}
				from.(*memconn.Conn).SetLinger(0)
				from.Close()
				if _, err := to.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the other end read %v, want a reset", err)
				}
				for range 2 {
					if err := <-p.ended; !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("relay: %v, want a reset", err)
					}
				}
			})
		})
	}
}

func TestRelayResetsWhenTheConnectionBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, transport := newMemWire(t)
		p := newPath(t, w)
		p.app.Write([]byte("half of a request"))
		synctest.Wait()
		transport.Close()
		io.ReadFull(p.target, make([]byte, len("half of a request")))
		for name, end := range map[string]net.Conn{"application": p.app, "target": p.target} {
			if _, err := end.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s read %v, want a reset: the transfer was cut off", name, err)
			}
		}
		<-p.ended
		<-p.ended
	})
}

func TestRelayStalledReaderDoesNotStallOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newMemWire(t)
		stalled, lively := newPath(t, w), newPath(t, w)
		go stalled.target.Write(make([]byte, 16<<20)) // nobody reads this
		synctest.Wait()
		go func() {
			io.Copy(lively.target, lively.target)
			lively.target.Close()
		}()
		start := time.Now()
		want := bytes.Repeat([]byte("x"), 4<<20)
		go func() {
			lively.app.Write(want)
			lively.app.(*memconn.Conn).CloseWrite()
		}()
		if got, err := io.ReadAll(lively.app); err != nil || len(got) != len(want) {
			t.Fatalf("echo: %d bytes, %v", len(got), err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("the echo waited %v", d)
		}
		stalled.app.Close()
		stalled.target.Close()
		for _, c := range []chan error{stalled.ended, stalled.ended, lively.ended, lively.ended} {
			<-c
		}
	})
}

func TestRelayOverTCP(t *testing.T) {
	t.Parallel()
	ca, cb := tcpPair(t)
	w := newWire(t, sshwire.Buffer(ca), sshwire.Buffer(cb))
	client, server := w.open(t)
	app, near := tcpPair(t)
	far, target := tcpPair(t)
	ended := make(chan error, 2)
	go func() { _, _, err := sshwire.Relay(near, client); ended <- err }()
	go func() { _, _, err := sshwire.Relay(server, far); ended <- err }()

	want := bytes.Repeat([]byte("0123456789"), 1<<19)
	go func() {
		app.Write(want)
		app.CloseWrite()
	}()
	go func() {
		io.Copy(target, struct{ io.Reader }{target})
		target.CloseWrite()
	}()
	if got, err := io.ReadAll(app); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("echo: %d bytes, %v; want %d", len(got), err, len(want))
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("relay: %v", err)
		}
	}
}

func TestRelayOverTCPResets(t *testing.T) {
	t.Parallel()
	ca, cb := tcpPair(t)
	w := newWire(t, sshwire.Buffer(ca), sshwire.Buffer(cb))
	client, server := w.open(t)
	app, near := tcpPair(t)
	far, target := tcpPair(t)
	ended := make(chan error, 2)
	go func() { _, _, err := sshwire.Relay(near, client); ended <- err }()
	go func() { _, _, err := sshwire.Relay(server, far); ended <- err }()
	target.SetLinger(0)
	target.Close()
	if _, err := app.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the application read %v, want a reset", err)
	}
	<-ended
	<-ended
}
