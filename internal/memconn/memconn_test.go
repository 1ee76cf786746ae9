package memconn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHalfCloseKeepsTheOtherDirection(t *testing.T) {
	a, b := memconn.Pair()
	io.WriteString(a, "question")
	a.CloseWrite()
	if got, err := io.ReadAll(b); string(got) != "question" || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	io.WriteString(b, "answer")
	b.Close()
	if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("write after the half-close: %v", err)
	}
}

func TestLingerZeroResets(t *testing.T) {
	a, b := memconn.Pair()
	io.WriteString(a, "lost")
	a.SetLinger(0)
	a.Close()
	if _, err := b.Read(make([]byte, 8)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read: %v", err)
	}
	if _, err := a.Read(make([]byte, 8)); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("read of the closed end: %v", err)
	}
}

func TestDeadlinesAndBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memconn.Pair()
		start := time.Now()
		b.SetReadDeadline(start.Add(time.Second))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read: %v", err)
		}
		a.SetWriteDeadline(start.Add(3 * time.Second))
		n, err := a.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 1<<20 {
			t.Fatalf("write to nobody: %d, %v", n, err)
		}
		if got := time.Since(start); got != 3*time.Second {
			t.Fatalf("took %v", got)
		}
	})
}

func TestStallHoldsBytesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memconn.Pair()
		a.Stall(true)
		io.WriteString(a, "late")
		time.AfterFunc(time.Minute, func() { a.Stall(false) })
		start := time.Now()
		buf := make([]byte, 8)
		n, err := b.Read(buf)
		if string(buf[:n]) != "late" || err != nil || time.Since(start) != time.Minute {
			t.Fatalf("read %q, %v after %v", buf[:n], err, time.Since(start))
		}
	})
}

func TestListener(t *testing.T) {
	l := memconn.Listen()
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(c, "hello")
		c.Close()
		l.Close()
	}()
	c, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(c); string(got) != "hello" {
		t.Fatalf("read %q", got)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("accept: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := memconn.Listen().Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("dial: %v", err)
	}
}
