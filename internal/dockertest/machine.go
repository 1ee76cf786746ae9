//go:build linux

package dockertest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Greeting is what [Machine.Listen] sends to whoever connects.
const Greeting = "hello"

// Machine is a computer as a network sees it: a network namespace.
type Machine struct {
	t  testing.TB
	ns *os.File
}

// Machine is the one that the engine runs on, until the engine is restarted.
func (e *Engine) Machine() *Machine {
	e.t.Helper()
	ns, err := openNetwork(e.pid.Load())
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { ns.Close() })
	return &Machine{e.t, ns}
}

func openNetwork(pid int64) (*os.File, error) {
	return os.Open(filepath.Join("/proc", strconv.FormatInt(pid, 10), "ns/net"))
}

// Neighbour puts another machine beside m, with a cable between the two: address is m's at its end, with its mask, and the neighbour's are the others, the
// first of which is m's way to everywhere.
func (m *Machine) Neighbour(address, first string, more ...string) *Machine {
	m.t.Helper()
	other := &Machine{t: m.t}
	made := make(chan error, 1)
	go func() { // ends with the namespace made
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			other.ns, err = os.Open("/proc/thread-self/ns/net")
		}
		made <- err
	}()
	if err := <-made; err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { other.ns.Close() })
	m.Run(fmt.Sprintf(`ip link add lan0 type veth peer name lan1 && ip link set lan1 netns /proc/self/fd/4 && ip addr add %s dev lan0 &&
ip link set lan0 up && ip route add default via %s onlink dev lan0`, address, first), other.ns)
	for _, a := range append([]string{first}, more...) {
		other.Run("ip addr add " + a + "/32 dev lan1")
	}
	network, _, err := net.ParseCIDR(address)
	if err != nil {
		m.t.Fatal(err)
	}
	other.Run(fmt.Sprintf("ip link set lo up && ip link set lan1 up && ip route add default via %s onlink dev lan1", network))
	return other
}

// Run runs a shell's script there, with further files from number 4 on.
func (m *Machine) Run(script string, files ...*os.File) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), "nsenter", "--net=/proc/self/fd/3", "sh", "-ec", script)
	cmd.ExtraFiles = append([]*os.File{m.ns}, files...)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// Listen accepts connections there until the test's end, and sends each the [Greeting].
func (m *Machine) Listen(address string) {
	m.t.Helper()
	var ln net.Listener
	err := enterNetwork(m.ns, func() (err error) {
		ln, err = new(net.ListenConfig).Listen(context.Background(), "tcp4", address)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() { // ends with the listener, below
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, Greeting+"\n") // whoever has gone does not want it
			conn.Close()
		}
	})
	m.t.Cleanup(func() {
		ln.Close()
		group.Wait()
	})
}

// Dial connects from there.
func (m *Machine) Dial(address string) (conn net.Conn, err error) {
	err = enterNetwork(m.ns, func() error {
		conn, err = (&net.Dialer{Timeout: 10 * time.Second}).DialContext(context.Background(), "tcp4", address)
		return err
	})
	return conn, err
}

// enterNetwork runs do in a network namespace. A socket belongs to the one that its thread is in when it is made.
func enterNetwork(ns *os.File, do func() error) error {
	result := make(chan error, 1)
	go func() { // ends with its result
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, in that namespace
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- err
			return
		}
		result <- do()
	}()
	return <-result
}
