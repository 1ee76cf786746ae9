package session_test

import (
	"errors"
	"net"
	"strconv"
	"testing"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// A deliberate stop releases every host port, whichever window does it; a start brings back what was asked for by hand.
func TestStopReleasesHostPorts(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	owner, other := open(t, store), open(t, store)
	info := owner.start(repo)
	other.start(repo)
	port, byHand := freePort(t), freePort(t)
	serveAndForward := func() {
		owner.serve(info.Name, "127.0.0.1", port)
		owner.await(info.Name, "forward", forwarded(port))
		if _, err := owner.Forward(t.Context(), info.Name, byHand, byHand); err != nil {
			t.Fatal(err)
		}
	}
	released := func(i session.Info) bool { return i.State == session.Stopped && len(i.Forwards) == 0 }
	resume := func() {
		if _, err := owner.Start(t.Context(), session.StartOptions{Folder: repo}, nil); err != nil {
			t.Fatal(err)
		}
		owner.await(info.Name, "forward by hand", forwarded(byHand))
	}

	serveAndForward()
	if err := owner.Stop(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	for _, p := range []uint16{port, byHand} { // at once
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p))))
		if err != nil {
			t.Errorf("after the stop: %v", err)
			continue
		}
		l.Close()
	}
	if _, err := owner.Forward(t.Context(), info.Name, port, 0); !errors.Is(err, tunnel.ErrEnded) {
		t.Errorf("forward into a stopped container: %v", err)
	}

	resume()
	serveAndForward()
	if err := other.Stop(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	owner.await(info.Name, "release after the other window's stop", released)

	// What nobody asked for keeps them.
	resume()
	docker(t, "kill", info.Container)
	owner.await(info.Name, "end", func(i session.Info) bool { return i.State == session.Stopped && forwarded(byHand)(i) })
}
