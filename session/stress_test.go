package session_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

const (
	// stressFirst is the first of the numbers in play, of which there are fewer than the cap on forwards. Other tests use none of these.
	stressFirst, stressPorts = 10_000, 40
	stressShort              = 12 * time.Second
)

// TestStress opens and closes ports at random while the pipe breaks at random and visitors come at random. Nobody may ever reach another port than
// the one that was told, and in the end what is forwarded must be exactly what the container has open. SKETCH_IDE_STRESS=10m makes it last, and
// SKETCH_IDE_STRESS_SEED repeats the choices of a run.
func TestStress(t *testing.T) {
	t.Parallel()
	lasts, err := time.ParseDuration(valueOr("SKETCH_IDE_STRESS", stressShort.String()))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(valueOr("SKETCH_IDE_STRESS_SEED", fmt.Sprint(rand.Uint32())), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("SKETCH_IDE_STRESS_SEED=%d", seed)
	w := open(t, newStore(t))
	info := w.start(newRepo(t))
	s := &stress{pipe: &pipe{window: w, Info: info}, rand: rand.New(rand.NewPCG(seed, 0)), open: map[string]bool{}}
	s.install()
	s.startChurn()
	defer func() { s.churn.end() }()
	leave := s.visit()
	defer leave()
	for begun := time.Now(); time.Since(begun) < lasts; {
		s.step()
	}
	s.faults.Wait()
	s.settle()
	for range 30 { // nothing mends what gets lost now: a connection that is made anew begins with the whole state
		s.burst()
	}
	leave()
	s.settle()
	t.Logf("%d opens and closes, faults: %v", s.changes, s.happened)
}

func valueOr(variable, fallback string) string {
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return fallback
}

// stress is a session under stress.
type stress struct {
	*pipe
	rand     *rand.Rand // of the one goroutine that decides
	churn    *churn
	open     map[string]bool // addresses that the program inside listens on
	faults   sync.WaitGroup  // the fault that is under way, if any
	breaking chan struct{}   // closed when it is over; nil before the first
	deck     []string        // faults to come
	happened []string
	changes  int
}

// churn is the program of testdata/churn inside. It does not depend on our connection.
type churn struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// end ends the program, if nothing else has.
func (c *churn) end() {
	c.in.Close()
	_ = c.cmd.Wait() // says how the container ended it
}

func (c *churn) say(line string) error {
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		return err
	}
	answer, err := c.out.ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = errors.New(answer)
	}
	return err
}

func (s *stress) install() {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "churn")
	build := exec.CommandContext(s.t.Context(), "go", "build", "-o", name, "./testdata/churn")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("build: %v\n%s", err, out)
	}
	program, err := os.Open(name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer program.Close()
	if err := s.Exec(s.t.Context(), s.Name, []string{"sh", "-c", "cat >/tmp/churn && chmod +x /tmp/churn"}, session.Streams{In: program}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stress) startChurn() {
	s.t.Helper()
	c := &churn{cmd: exec.CommandContext(s.t.Context(), "docker", "exec", "-i", s.Container, "/tmp/churn")}
	c.cmd.Stderr = s.t.Output()
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.churn = c
	clear(s.open)
}

// step is one of the things that happen. Ports come and go in bursts, each of which is over before the next step.
func (s *stress) step() {
	s.t.Helper()
	if s.rand.IntN(10) == 0 {
		s.disturb()
	}
	s.burst()
}

func (s *stress) burst() {
	s.t.Helper()
	for range 1 + s.rand.IntN(8) {
		s.change()
	}
	linger(s.t, time.Duration(s.rand.Int64N(int64(60*time.Millisecond))))
}

func (s *stress) change() {
	s.t.Helper()
	networks := []struct{ network, host string }{{"tcp4", "127.0.0.1"}, {"tcp4", "0.0.0.0"}, {"tcp6", "::1"}, {"tcp6", "::"}}
	where := networks[s.rand.IntN(len(networks))]
	address := net.JoinHostPort(where.host, strconv.Itoa(stressFirst+s.rand.IntN(stressPorts)))
	command := "open " + where.network + " " + address
	if s.open[address] {
		command = "close " + address
	}
	err := s.churn.say(command)
	switch {
	case err == nil:
		s.open[address] = !s.open[address]
		s.changes++
	case !strings.Contains(err.Error(), "in use"): // of a wildcard and a specific address, say
		s.t.Fatalf("%s: %v", command, err)
	}
}

// disturb starts a fault, unless one is under way. They go on beside the steps, but for the restart, which ends the program inside.
func (s *stress) disturb() {
	if s.breaking != nil {
		select {
		case <-s.breaking:
		default:
			return
		}
	}
	lasts := time.Duration(s.rand.Int64N(int64(6 * time.Second))) // some are over before they are noticed
	faults := map[string]func(){
		"pause": func() {
			docker(s.t, "pause", s.Container)
			linger(s.t, lasts)
			docker(s.t, "unpause", s.Container)
		},
		"drop": func() {
			restore := s.drop()
			linger(s.t, lasts)
			restore()
		},
		"cut":     s.cut,
		"cut one": func() { s.cutAny(lasts) },
		"restart": nil,
	}
	if len(s.deck) == 0 { // so that a short run has some of each
		s.deck = []string{"cut", "pause", "cut one", "drop", "restart"}
		s.rand.Shuffle(len(s.deck), func(i, j int) { s.deck[i], s.deck[j] = s.deck[j], s.deck[i] })
	}
	name := s.deck[0]
	s.deck, s.happened = s.deck[1:], append(s.happened, name)
	if name == "restart" {
		docker(s.t, "restart", "-t", "1", s.Container)
		s.churn.end()
		s.startChurn()
		return
	}
	over := make(chan struct{})
	s.breaking = over
	// Ends by itself; the test waits.
	s.faults.Go(func() {
		defer close(over)
		faults[name]()
	})
}

// cut ends the TCP connection under the pipe, as a router does that has forgotten it.
func (s *stress) cut() {
	out, err := exec.CommandContext(s.t.Context(), "ss", "-K", "-tn", "state", "established", "dst", s.containerAddress(), "dport", "=", ":22022").CombinedOutput()
	if err != nil {
		s.t.Errorf("ss -K: %v\n%s", err, out)
	}
}

// cutAny ends, or silences for a time, one of the connections that the visitors share.
func (s *stress) cutAny(lasts time.Duration) {
	for port := range s.lines() { // in no order
		if lasts < 3*time.Second {
			s.cutOne(port)
			return
		}
		restore := s.drop(port)
		linger(s.t, lasts)
		restore()
		return
	}
}

// visit has visitors connect to what was told last, until the returned function is called.
func (s *stress) visit() (leave func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		// Ends with done; leave waits.
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					s.visitOnce()
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(done); group.Wait() })
}

func (s *stress) visitOnce() {
	s.mu.Lock()
	forwards := s.info[s.Name].Forwards
	s.mu.Unlock()
	if len(forwards) == 0 {
		linger(s.t, 10*time.Millisecond)
		return
	}
	f := forwards[rand.IntN(len(forwards))]
	if f.Status != tunnel.Forwarded {
		return
	}
	// It may have closed by now, and the number may be somebody else's: only another port of ours would be wrong.
	if said, err := greeting(f.HostPort); err == nil && said != f.Port && said >= stressFirst && said < stressFirst+stressPorts {
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := find(s.info[s.Name], f.Port); now.HostPort == f.HostPort {
			s.t.Errorf("localhost:%d is told to be port %d and is port %d", f.HostPort, f.Port, said)
		}
	}
}

// greeting is what the server behind a host port says it is.
func greeting(hostPort uint16) (uint16, error) {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(hostPort))), 5*time.Second)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return 0, err
	}
	port, err := strconv.ParseUint(strings.TrimSpace(line), 10, 16)
	return uint16(port), err
}

// settle compares the end with what the container's own tools say.
func (s *stress) settle() {
	s.t.Helper()
	want := s.listening()
	same := func(i session.Info) bool {
		got := map[uint16][]netip.Addr{}
		for _, f := range i.Forwards {
			if f.Status == tunnel.Forwarded && f.Port >= stressFirst && f.Port < stressFirst+stressPorts {
				got[f.Port] = f.Addresses
			}
		}
		return i.State == session.Connected && maps.EqualFunc(got, want, slices.Equal[[]netip.Addr])
	}
	last := s.await(s.Name, fmt.Sprintf("forwards of %v", want), same)
	for port := range want {
		if said, err := greeting(find(last, port).HostPort); err != nil || said != port {
			s.t.Errorf("port %d says it is %d, %v", port, said, err)
		}
	}
}

// listening is what ss inside says of the numbers in play.
func (s *stress) listening() map[uint16][]netip.Addr {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), "docker", "exec", s.Container, "ss", "-Hltn").CombinedOutput()
	if err != nil {
		s.t.Fatalf("ss: %v\n%s", err, out)
	}
	open := map[uint16][]netip.Addr{}
	for line := range strings.Lines(string(out)) {
		at, err := netip.ParseAddrPort(strings.Replace(strings.Fields(line)[3], "*:", "[::]:", 1))
		if err != nil {
			s.t.Fatalf("ss says %q: %v", line, err)
		}
		if at.Port() >= stressFirst && at.Port() < stressFirst+stressPorts {
			open[at.Port()] = append(open[at.Port()], at.Addr())
		}
	}
	for _, addrs := range open {
		slices.SortFunc(addrs, netip.Addr.Compare)
	}
	return open
}
