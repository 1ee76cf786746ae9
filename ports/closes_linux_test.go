package ports

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func TestClosesArePushed(t *testing.T) {
	t.Parallel()
	woken := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	// Ended by cancel below, and waited for there.
	go func() {
		ended <- watchCloses(ctx, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	// The watch may begin after the first listener has gone, and others close sockets
	// meanwhile; so this only asks that closes wake at all.
	deadline := time.After(patience)
	for _, addr := range []string{"127.0.0.1:0", "[::]:0"} {
		for pushed := false; !pushed; {
			openAndClose(t, addr)
			select {
			case <-woken:
				pushed = true
			case <-time.After(10 * time.Millisecond):
			case <-deadline:
				t.Fatalf("close of %s is not pushed", addr)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("watch ends with %v", err)
	}
}

func openAndClose(t *testing.T, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}

// Messages that the kernel had no room for are told as ENOBUFS, which wakes and does not end the watch.
func TestLostClosesWake(t *testing.T) {
	t.Parallel()
	f, err := openDestroyGroups()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	const many = 500
	for range many {
		openAndClose(t, "127.0.0.1:0")
	}
	reads := &lossyReads{File: f, t: t}
	wakes := make(chan bool, 10*many) // whether a loss was read
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- readCloses(ctx, reads, func() { wakes <- reads.lost; reads.lost = false }) }() // ended by cancel, waited for below
	await := func(what string, wanted func(lost bool) bool) {
		t.Helper()
		for deadline := time.After(patience); ; {
			select {
			case lost := <-wakes:
				if wanted(lost) {
					return
				}
			case err := <-ended:
				t.Fatalf("watch ends with %v", err)
			case <-deadline:
				t.Fatalf("%s wakes nobody", what)
			}
		}
	}
	await("the loss", func(lost bool) bool { return lost })
	openAndClose(t, "127.0.0.1:0")
	await("a close after the loss", func(bool) bool { return true })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("watch ends with %v", err)
	}
}

// lossyReads notes that the kernel told a loss, until somebody is woken for it. It belongs to the goroutine that reads.
type lossyReads struct {
	*os.File
	t    *testing.T
	lost bool
}

func (r *lossyReads) Read(b []byte) (int, error) {
	if r.lost {
		r.t.Error("a loss has woken nobody")
	}
	n, err := r.File.Read(b)
	r.lost = errors.Is(err, unix.ENOBUFS)
	return n, err
}

// What the filter drops does not even reach the process.
func TestEndsOfConnectionsAreNotRead(t *testing.T) {
	t.Parallel()
	f, err := openDestroyGroups()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		connectAndReset(t)
	}
	buf := make([]byte, 4<<10)
	for range 20 {
		openAndClose(t, "127.0.0.1:0") // something to read behind the connections
		n, err := f.Read(buf)
		if errors.Is(err, unix.ENOBUFS) {
			continue // others close many at the moment
		}
		if err != nil {
			t.Fatal(err)
		}
		if n < nlmsgHeaderLen+diagMsgLen {
			t.Fatalf("%d bytes", n)
		}
		if peer := binary.BigEndian.Uint16(buf[nlmsgHeaderLen+6:]); peer != 0 {
			t.Fatalf("told of a connection with %d", peer)
		}
	}
}

// connectAndReset makes a connection whose two sockets are destroyed at once.
func connectAndReset(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	accepted.Close()
}

// The end of the watch does not wait for one more close.
func TestWatchOfClosesEndsByItself(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- readCloses(ctx, r, func() {}) }() // ended by cancel, waited for below
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("watch ends with %v", err)
		}
	case <-time.After(patience):
		t.Error("watch does not end")
	}
}

// The kernel wakes nobody for the thousands of connections that end.
func TestFilterKeepsSocketsWithoutPeer(t *testing.T) {
	t.Parallel()
	var program []bpf.Instruction
	for _, raw := range withoutPeer {
		program = append(program, bpf.RawInstruction{Op: raw.Code, Jt: raw.Jt, Jf: raw.Jf, K: raw.K}.Disassemble())
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	for peer, want := range map[uint16]bool{0: true, 1: false, 256: false, 40000: false} {
		msg := make([]byte, nlmsgHeaderLen+72) // inet_diag_msg: family, state, timer, retrans, then sport and dport
		binary.BigEndian.PutUint16(msg[nlmsgHeaderLen+4:], 3000)
		binary.BigEndian.PutUint16(msg[nlmsgHeaderLen+6:], peer)
		if kept, err := vm.Run(msg); err != nil || kept > 0 != want {
			t.Errorf("socket with peer %d: kept %d bytes, %v; want kept: %v", peer, kept, err, want)
		}
	}
}
