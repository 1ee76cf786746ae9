package ports

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// openListeners listens on one address of each kind. Those that the machine lacks are
// left out: a container may have no IPv6 loopback.
func openListeners(t *testing.T) (open []netip.AddrPort) {
	t.Helper()
	for _, a := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1:0"}, {"tcp4", "0.0.0.0:0"}, {"tcp4", "127.0.0.2:0"}, {"tcp6", "[::1]:0"}, {"tcp", "[::]:0"}, {"tcp6", "[::]:0"},
	} {
		if ln, err := net.Listen(a.network, a.address); err == nil {
			t.Cleanup(func() { ln.Close() })
			open = append(open, ln.Addr().(*net.TCPAddr).AddrPort())
		} else if a.network == "tcp4" {
			t.Fatalf("listen: %v", err)
		}
	}
	return open
}

func TestSourcesSeeEveryListener(t *testing.T) {
	t.Parallel()
	open := openListeners(t)
	inodes := map[netip.AddrPort]uint32{}
	for _, tt := range []struct {
		name string
		open OpenSource
	}{
		{"netlink", openNetlink}, {"netlink-families", openNetlinkFamilies}, {"proc", openProcNet}, {"ss", openSS},
	} {
		src, err := tt.open(t.Context())
		if err != nil {
			t.Fatalf("open %s: %v", tt.name, err)
		}
		if src.Name() != tt.name {
			t.Errorf("name %q, want %q", src.Name(), tt.name)
		}
		got, err := src.Listeners(t.Context(), nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for _, want := range open {
			i := slices.IndexFunc(got, func(ln Listener) bool { return ln.Addr == want })
			if i < 0 {
				t.Errorf("%s does not see %v", tt.name, want)
				continue
			}
			if known := inodes[want]; got[i].Inode == 0 || known != 0 && known != got[i].Inode {
				t.Errorf("%s: inode %d of %v, another source says %d", tt.name, got[i].Inode, want, known)
			}
			inodes[want] = got[i].Inode
		}
		if err := src.Close(); err != nil {
			t.Errorf("close %s: %v", tt.name, err)
		}
	}
}

func TestSourceFails(t *testing.T) {
	t.Parallel()
	for _, src := range []Source{
		procSource{"/nonexistent", "/nonexistent"},
		&ssSource{"/nonexistent"},
		&ssSource{"/bin/false"},
		&netlinkSource{fd: -1, dump: (*netlinkSource).dumpLegacy},
		&netlinkSource{fd: -1, dump: (*netlinkSource).dumpFamilies},
	} {
		if _, err := src.Listeners(t.Context(), nil); err == nil {
			t.Errorf("%#v: no error", src)
		}
	}
	if got, err := (procSource{"/proc/net/tcp", "/nonexistent"}).Listeners(t.Context(), nil); err != nil {
		t.Errorf("without IPv6: %v, %v", got, err)
	}
}

func TestNetlinkRepeatsInterruptedDump(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		errs []error
		want error
	}{
		{"once", []error{errDumpInterrupted, nil}, nil},
		{"twice", []error{errDumpInterrupted, errDumpInterrupted}, errDumpInterrupted},
		{"other error", []error{errNetlinkMalformed}, errNetlinkMalformed},
	} {
		calls := 0
		src := &netlinkSource{dump: func(_ *netlinkSource, dst []Listener) ([]Listener, error) {
			calls++
			return append(dst, Listener{}), tt.errs[calls-1]
		}}
		rows, err := src.Listeners(t.Context(), nil)
		if !errors.Is(err, tt.want) || calls != len(tt.errs) || len(rows) != 1 {
			t.Errorf("%s: %d calls, %d rows, error %v", tt.name, calls, len(rows), err)
		}
	}
}

// What other processes send to the socket is not taken for the kernel's answer.
func TestNetlinkBelievesTheKernelOnly(t *testing.T) {
	t.Parallel()
	for _, open := range []OpenSource{openNetlink, openNetlinkFamilies} {
		source, err := open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		src := source.(*netlinkSource)
		if _, err := src.Listeners(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		forge(t, src, src.seq+1)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		rows, err := src.Listeners(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(rows, func(row Listener) bool { return row.Addr == ln.Addr().(*net.TCPAddr).AddrPort() }) {
			t.Errorf("%s: a listener is not seen", src.Name())
		}
	}
}

// forge sends the end of a dump, as another process. Who may not send to others, which takes a capability, cannot forge either.
func forge(t *testing.T, src *netlinkSource, seq uint32) {
	t.Helper()
	to, err := unix.Getsockname(src.fd)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	end := make([]byte, nlmsgHeaderLen+4)
	putNlmsgHeader(end, nlmsgDone, seq)
	if err := unix.Sendto(fd, end, 0, to); err != nil && !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
}

func TestEphemeralRange(t *testing.T) {
	t.Parallel()
	if r := ephemeralRange(); r[0] == 0 || r[0] > r[1] {
		t.Errorf("ephemeral range %v", r)
	}
}
