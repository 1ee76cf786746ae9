package ports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	helperVariable = "PORTS_TEST_HELPER"
	heirVariable   = "PORTS_TEST_HEIR"
)

// A helper is another process that listens, since our own sockets are ignored.
type helper struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startHelper starts a helper, which ends with the test.
func startHelper(t testing.TB, env ...string) *helper {
	t.Helper()
	h := newHelper(t, env...)
	h.start()
	return h
}

func newHelper(t testing.TB, env ...string) *helper {
	h := &helper{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestHelper$")}
	h.cmd.Env = append(append(os.Environ(), helperVariable+"=1"), env...)
	return h
}

func (h *helper) start() {
	t := h.t
	t.Helper()
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	h.out = bufio.NewReader(out)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.in.Close()
		_ = h.cmd.Wait() // says only how the helper ended
	})
}

func (h *helper) pid() int { return h.cmd.Process.Pid }

// listen makes the helper listen, and says where and when.
func (h *helper) listen(address string) (addr string, at time.Time) {
	h.t.Helper()
	var nano int64
	h.say("listen "+address, "%s %d", &addr, &nano)
	return addr, time.Unix(0, nano)
}

// listenAs is listen with an option: "v6only" leaves IPv4 to others, "shared" lets others listen on the same address (SO_REUSEPORT).
func (h *helper) listenAs(option, address string) (addr string) {
	h.t.Helper()
	addr, _ = h.listen(address + " " + option)
	return addr
}

// close makes it close what listens on an address, to which nobody may have connected.
func (h *helper) close(addr string) time.Time {
	h.t.Helper()
	var nano int64
	h.say("close "+addr, "%d", &nano)
	return time.Unix(0, nano)
}

// crowd makes it listen on so many ports at once, and says where.
func (h *helper) crowd(n int) []string {
	h.t.Helper()
	var addrs string
	h.say(fmt.Sprintf("crowd %d", n), "%s", &addrs)
	return strings.Split(addrs, ",")
}

// disperse makes it close everything.
func (h *helper) disperse() {
	h.t.Helper()
	h.say("disperse", "done")
}

// blink makes it listen and close so many times, as fast as it can, and says where.
func (h *helper) blink(n int) []string {
	h.t.Helper()
	var addrs string
	h.say(fmt.Sprintf("blink %d", n), "%s", &addrs)
	return strings.Split(addrs, ",")
}

// hand makes it hand a listening socket to a process of its own, and says to which.
func (h *helper) hand(addr string) (pid int) {
	h.t.Helper()
	h.say("hand "+addr, "%d", &pid)
	return pid
}

func (h *helper) say(command, format string, answer ...any) {
	h.t.Helper()
	if _, err := fmt.Fprintln(h.in, command); err != nil {
		h.t.Fatal(err)
	}
	line, err := h.out.ReadString('\n')
	if err != nil {
		h.t.Fatalf("helper does not answer to %s: %v", command, err)
	}
	if _, err := fmt.Sscanf(line, format, answer...); err != nil {
		h.t.Fatalf("helper answers %q to %s: %v", line, command, err)
	}
}

// TestHelper is no test of its own: it is what the helper runs.
func TestHelper(t *testing.T) {
	switch {
	case os.Getenv(heirVariable) != "":
		_, _ = io.Copy(io.Discard, os.Stdin) // until the helper ends
	case os.Getenv(helperVariable) != "":
		l := listening{t: t, open: map[string]*net.TCPListener{}}
		defer l.disinherit()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			command, argument, _ := strings.Cut(lines.Text(), " ")
			l.do(command, argument)
		}
	}
}

// listening is the helper's side.
type listening struct {
	t     *testing.T
	open  map[string]*net.TCPListener
	heirs []*exec.Cmd
	lives []io.Closer // standard inputs of the heirs
}

func (l *listening) do(command, argument string) {
	switch command {
	case "listen":
		addr, at := l.listen(argument)
		fmt.Println(addr, at.UnixNano())
	case "close":
		if l.visited(argument) {
			fmt.Println("somebody has connected")
			return
		}
		l.close(argument)
		fmt.Println(time.Now().UnixNano())
	case "crowd":
		var addrs []string
		for range l.number(argument) {
			addr, _ := l.listen("127.0.0.1:0")
			addrs = append(addrs, addr)
		}
		fmt.Println(strings.Join(addrs, ","))
	case "disperse":
		for addr := range l.open {
			l.close(addr)
		}
		fmt.Println("done")
	case "blink":
		var addrs []string
		for range l.number(argument) {
			addr, _ := l.listen("127.0.0.1:0")
			l.close(addr)
			addrs = append(addrs, addr)
		}
		fmt.Println(strings.Join(addrs, ","))
	case "hand":
		fmt.Println(l.hand(argument))
	}
}

func (l *listening) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

func (l *listening) listen(address string) (addr string, at time.Time) {
	address, option, _ := strings.Cut(address, " ")
	config, network := net.ListenConfig{}, "tcp"
	switch option {
	case "v6only":
		network = "tcp6"
	case "shared":
		config.Control = share
	}
	ln, err := config.Listen(l.t.Context(), network, address)
	at = time.Now()
	if err != nil {
		l.t.Fatal(err)
	}
	l.open[ln.Addr().String()] = ln.(*net.TCPListener)
	return ln.Addr().String(), at
}

// share lets others listen on the address of a socket too.
func share(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, failed)
}

func (l *listening) close(addr string) {
	l.open[addr].Close()
	delete(l.open, addr)
}

// visited tells whether a connection waits to be accepted.
func (l *listening) visited(addr string) (visited bool) {
	raw, err := l.open[addr].SyscallConn()
	if err != nil {
		l.t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		c, _, err := syscall.Accept(int(fd)) // non-blocking, as all of Go's
		if visited = err == nil; visited {
			_ = syscall.Close(c) // the test fails
		}
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return visited
}

// hand starts a process that inherits a socket, and lets go of it.
func (l *listening) hand(addr string) int {
	f, err := l.open[addr].File()
	if err != nil {
		l.t.Fatal(err)
	}
	heir := exec.Command(os.Args[0], "-test.run=^TestHelper$")
	heir.Env = append(os.Environ(), heirVariable+"=1")
	heir.ExtraFiles = []*os.File{f}
	in, err := heir.StdinPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := heir.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.heirs, l.lives = append(l.heirs, heir), append(l.lives, in)
	f.Close()
	l.close(addr)
	return heir.Process.Pid
}

func (l *listening) disinherit() {
	for i, heir := range l.heirs {
		l.lives[i].Close()
		_ = heir.Wait() // says only how it ended
	}
}
