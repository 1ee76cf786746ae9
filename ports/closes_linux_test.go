package ports

import (
	"context"
	"encoding/binary"
	"net"
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
	wakes := make(chan struct{}, 10*many)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- readCloses(ctx, f, func() { wakes <- struct{}{} }) }() // ended by cancel, waited for below
	for range 2 {                                                               // what had room, or the loss
		select {
		case <-wakes:
		case err := <-ended:
			t.Fatalf("watch ends with %v", err)
		case <-time.After(patience):
			t.Fatal("lost closes wake nobody")
		}
	}
	openAndClose(t, "127.0.0.1:0")
	select {
	case <-wakes:
	case err := <-ended:
		t.Fatalf("watch ends with %v", err)
	case <-time.After(patience):
		t.Fatal("a close after the loss wakes nobody")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("watch ends with %v", err)
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
