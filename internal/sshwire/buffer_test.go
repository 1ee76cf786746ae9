package sshwire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// counting counts the writes that reach the transport, and lets the first ones wait.
type counting struct {
	net.Conn
	gate   chan struct{}
	writes atomic.Int32
}

func (c *counting) Write(p []byte) (int, error) {
	<-c.gate
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func TestBufferCoalescesWrites(t *testing.T) {
	a, b := memconn.Pair()
	slow := &counting{Conn: a, gate: make(chan struct{})}
	conn := sshwire.Buffer(slow)
	var want []byte
	for i := range 100 {
		p := bytes.Repeat([]byte{byte(i)}, 1000)
		want = append(want, p...)
		if n, err := conn.Write(p); n != len(p) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	close(slow.gate)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes, %v; want all %d in order", len(got), err, len(want))
	}
	if n := slow.writes.Load(); n > 2 {
		t.Errorf("100 writes while the transport was busy took %d of its writes, want at most 2", n)
	}
}

func TestBufferReportsAnErrorOnTheNextWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memconn.Pair()
		conn := sshwire.Buffer(a)
		b.Close()
		if _, err := conn.Write([]byte("queued")); err != nil {
			t.Fatalf("first write: %v", err)
		}
		synctest.Wait()
		for range 2 {
			if _, err := conn.Write([]byte("too late")); err == nil {
				t.Fatal("a write after the transport failed succeeded")
			}
		}
		conn.Close()
	})
}

func TestBufferIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := memconn.Pair()
		conn := sshwire.Buffer(a)
		defer a.Close()
		conn.SetWriteDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		n, err := conn.Write(make([]byte, 8<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Fatalf("write to a peer that does not read: %v after %v", err, time.Since(start))
		}
		if n > 2<<20 {
			t.Errorf("queued %d bytes", n)
		}
	})
}

// A login whose last words did not get out in time is over for both ends, although its deadline was lifted meanwhile.
func TestBufferEndsWithAWriteThatIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, peer := memconn.Pair()
		peer.Stall(true)
		conn := sshwire.Buffer(a)
		conn.SetDeadline(time.Now().Add(time.Second))
		if _, err := conn.Write(make([]byte, 1<<20)); err != nil { // more than goes without the peer
			t.Fatal(err)
		}
		<-time.After(time.Second) // by the bubble's clock
		synctest.Wait()
		conn.SetDeadline(time.Time{})
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("read something")
		}
		peer.Stall(false)
		if _, err := io.Copy(io.Discard, peer); err != nil {
			t.Errorf("the peer read %v, want the end", err)
		}
		conn.Close()
	})
}

func TestBufferCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := memconn.Pair()
		conn := sshwire.Buffer(a)
		if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		conn.Close()
		if d := time.Since(start); d == 0 || d > 5*time.Second {
			t.Errorf("Close with a full queue and a dead peer took %v", d)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("a write after Close succeeded")
		}
	})
}

func TestBufferClosingTheTransportEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := memconn.Pair()
		conn := sshwire.Buffer(a)
		ended := make(chan error, 2)
		go func() { _, err := conn.Write(make([]byte, 8<<20)); ended <- err }()
		go func() { _, err := conn.Read(make([]byte, 1)); ended <- err }()
		synctest.Wait()
		a.Close()
		for range 2 {
			if err := <-ended; err == nil {
				t.Error("no error after the transport was closed")
			}
		}
	})
}
