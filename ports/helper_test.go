package ports

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const helperVariable = "PORTS_TEST_HELPER"

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
	h := &helper{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestHelper$")}
	h.cmd.Env = append(append(os.Environ(), helperVariable+"=1"), env...)
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
	return h
}

func (h *helper) pid() int { return h.cmd.Process.Pid }

// listen makes the helper listen, and says where and when.
func (h *helper) listen(address string) (addr string, at time.Time) {
	h.t.Helper()
	var nano int64
	h.say("listen "+address, "%s %d", &addr, &nano)
	return addr, time.Unix(0, nano)
}

// close makes it close what listens on an address.
func (h *helper) close(addr string) time.Time {
	h.t.Helper()
	var nano int64
	h.say("close "+addr, "%d", &nano)
	return time.Unix(0, nano)
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
	if os.Getenv(helperVariable) == "" {
		return
	}
	open := map[string]net.Listener{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		command, addr, _ := strings.Cut(lines.Text(), " ")
		switch command {
		case "listen":
			ln, err := net.Listen("tcp", addr)
			at := time.Now()
			if err != nil {
				t.Fatal(err)
			}
			open[ln.Addr().String()] = ln
			fmt.Println(ln.Addr(), at.UnixNano())
		case "close":
			open[addr].Close()
			fmt.Println(time.Now().UnixNano())
		}
	}
}
