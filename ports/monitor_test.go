package ports

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

// runMonitor starts a monitor in a bubble and returns when its first scan is in. It
// ends with the test.
func runMonitor(t *testing.T, m *Monitor) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	m.cfg.Events.begin() // somebody reads
	// Ended and waited for by the cleanup.
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		m.cfg.Events.end()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	synctest.Wait()
}

// events returns what the log tells after seq, without waiting.
func events(t *testing.T, l *Log, seq uint64) []string {
	t.Helper()
	synctest.Wait()
	update, changed := l.after(l.epoch, seq)
	if changed == nil && update.Events == nil {
		t.Fatalf("the log no longer has what follows %d", seq)
	}
	return story(update.Events)
}

func TestMonitorCadence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		m := k.monitor(MonitorConfig{Events: l})
		runMonitor(t, m)
		count := func(d time.Duration) int {
			k.scanned()
			time.Sleep(d)
			synctest.Wait()
			return len(k.scanned())
		}
		for _, step := range []struct {
			name string
			do   func()
			want int // scans in a second
		}{
			{"after the start", func() {}, 40},
			{"idle", func() { time.Sleep(12 * time.Second) }, 4},
			{"after a change", func() { k.listen(listener("0.0.0.0:80", 1)); time.Sleep(time.Second) }, 40},
			{"idle again", func() { time.Sleep(12 * time.Second) }, 4},
			{"busy", func() { t.Cleanup(m.Busy()) }, 41}, // one at once
			{"still busy", func() { time.Sleep(time.Hour) }, 40},
		} {
			step.do()
			if got := count(time.Second - ms); got != step.want && got != step.want-1 {
				t.Errorf("%s: %d scans in a second, want %d", step.name, got, step.want)
			}
		}
	})
}

func TestBusyCounts(t *testing.T) {
	t.Parallel()
	m := NewMonitor(MonitorConfig{Events: NewLog(0)})
	a, b := m.Busy(), m.Busy()
	a()
	a()
	if got := m.busy.Load(); got != 1 {
		t.Errorf("%d commands alive, want 1", got)
	}
	b()
	if got := m.busy.Load(); got != 0 {
		t.Errorf("%d commands alive, want 0", got)
	}
}

func TestMonitorFirstSnapshotHasWhatWasOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.listen(listener("0.0.0.0:80", 1), listener("[::]:80", 2))
		runMonitor(t, k.monitor(MonitorConfig{Events: l}))
		state, err := l.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "ports", brief(state.Ports), []Port{port(80, "0.0.0.0", "::")})
		equal(t, "events", events(t, l, 0), []string{})
	})
}

func TestMonitorScansWhenClosesArePushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.listen(listener("0.0.0.0:80", 1))
		runMonitor(t, k.monitor(MonitorConfig{Events: l}))
		time.Sleep(20*time.Second + ms) // idle, between two scans
		k.scanned()
		k.listen()
		k.push()
		equal(t, "events at once", events(t, l, 0), []string{"closed tcp:0.0.0.0:80"})
		at := k.scanned()
		if len(at) != 1 {
			t.Fatalf("%d scans for one close", len(at))
		}
		// A flood costs one scan in 5 ms, and the last of it is not lost.
		for range 1000 {
			k.push()
			time.Sleep(10 * time.Microsecond)
		}
		k.listen(listener("0.0.0.0:81", 2))
		k.push()
		time.Sleep(5 * ms)
		equal(t, "events after a flood", events(t, l, 1), []string{"opened tcp:0.0.0.0:81"})
		if got := len(k.scanned()); got > 4 {
			t.Errorf("%d scans in 15 ms of flood", got)
		}
	})
}

func TestMonitorIgnores(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.own[1] = true
		k.owners[2] = process{pid: 20, name: "chrome", ignore: true}
		k.owners[4] = process{pid: 40, name: "vite"}
		k.owners[5] = process{pid: 50, name: "slow", ignore: true}
		k.slow[5] = time.Second
		asked := map[Listener]int{}
		runMonitor(t, k.monitor(MonitorConfig{Events: l, Ignore: func(ln Listener) bool {
			asked[ln]++
			return ln.Addr.Port() == 3
		}}))
		all := []Listener{listener("0.0.0.0:1", 1), listener("0.0.0.0:2", 2), listener("0.0.0.0:3", 3), listener("0.0.0.0:4", 4)}
		k.listen(all...)
		time.Sleep(25 * ms)
		equal(t, "events", events(t, l, 0), []string{"opened tcp:0.0.0.0:4"})
		k.listen(append(all, listener("0.0.0.0:5", 5))...)
		time.Sleep(50 * ms)
		equal(t, "not decided in time", events(t, l, 1), []string{"opened tcp:0.0.0.0:5"})
		time.Sleep(2 * time.Second)
		equal(t, "withdrawn", events(t, l, 2), []string{"closed tcp:0.0.0.0:5"})
		k.listen()
		time.Sleep(time.Second)
		equal(t, "closes of the ignored are not told", events(t, l, 3), []string{"closed tcp:0.0.0.0:4"})
		for ln, n := range asked {
			if n != 1 {
				t.Errorf("%v was asked for %d times", ln, n)
			}
		}
	})
}

func TestMonitorNamesOnceAndNeverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.owners[1] = process{pid: 10, name: "vite", command: "node vite"}
		k.owners[2] = process{pid: 20, name: "late"}
		k.slow[2] = time.Second
		m := k.monitor(MonitorConfig{Events: l})
		runMonitor(t, m)
		time.Sleep(100 * ms)
		k.listen(listener("0.0.0.0:1", 1), listener("0.0.0.0:2", 2), listener("0.0.0.0:3", 3), listener("0.0.0.0:4", 0))
		time.Sleep(50 * ms)
		equal(t, "events", events(t, l, 0), []string{
			"opened tcp:0.0.0.0:1", "opened tcp:0.0.0.0:2", "opened tcp:0.0.0.0:3", "opened tcp:0.0.0.0:4",
		})
		k.scanned()
		time.Sleep(500 * ms)
		if got := len(k.scanned()); got != 20 {
			t.Errorf("%d scans in 500 ms while names are looked for, want 20", got)
		}
		time.Sleep(5 * time.Second)
		equal(t, "named on the side", events(t, l, 4), []string{"updated tcp:0.0.0.0:2"})
		state, _ := l.Snapshot(t.Context())
		var names []string
		for _, p := range state.Ports {
			names = append(names, p.Process)
		}
		equal(t, "names", names, []string{"vite", "late", "", ""})
		// 2 took too long at first, so that 3 was not settled either; the second look is final.
		equal(t, "owners looked for", k.asked, []uint32{1, 2, 3, 2, 3})
	})
}

// Who does not follow ports pays nothing for them: no scan, no timer, no push. Who reads again gets the truth.
func TestMonitorRestsWhileNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.owners[2] = process{pid: 20, name: "vite"}
		k.slow[2] = time.Second // found on the side only
		k.listen(listener("0.0.0.0:1", 1))
		m := k.monitor(MonitorConfig{Events: l})
		runMonitor(t, m)
		t.Cleanup(m.Busy())
		l.end() // nobody reads any more
		defer l.begin()
		time.Sleep(restAfter + time.Second)
		k.scanned()
		if k.watched() {
			t.Error("closes are watched for nobody")
		}
		k.listen(listener("0.0.0.0:2", 2))
		m.Busy()()
		time.Sleep(time.Hour)
		if got := len(k.scanned()); got != 0 {
			t.Errorf("%d scans for nobody", got)
		}
		state, err := l.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "ports after a rest", brief(state.Ports), []Port{port(2, "0.0.0.0")})
		equal(t, "events after a rest", events(t, l, 0), []string{"closed tcp:0.0.0.0:1", "opened tcp:0.0.0.0:2"})
		if !k.watched() {
			t.Error("closes are not watched for a reader")
		}
		time.Sleep(5 * time.Second)
		equal(t, "named after a rest", events(t, l, 2), []string{"updated tcp:0.0.0.0:2"})
		// A reader that polls like the seed's keeps the monitor awake.
		for range 60 {
			time.Sleep(10 * time.Second)
			if _, err := l.Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(k.scanned()) < 30 {
				t.Error("rests while somebody polls")
			}
		}
		// Who followed keeps it awake no longer than until then.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.Wait(ctx, l.epoch, l.state.Seq); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for nothing: %v", err)
		}
		k.scanned()
		time.Sleep(restAfter + time.Second)
		k.scanned()
		time.Sleep(time.Hour)
		if got := len(k.scanned()); got != 0 {
			t.Errorf("%d scans after the last reader", got)
		}
		// What cannot be read anew is as it was.
		k.fail(errors.New("gone"))
		state, err = l.Snapshot(t.Context())
		equal(t, "ports when scans fail", brief(state.Ports), []Port{port(2, "0.0.0.0")})
		equal(t, "error when scans fail", err, nil)
	})
}

// Who was being looked for when the rest began is looked for after it.
func TestMonitorNamesAfterARest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.owners[1], k.owners[2] = process{pid: 10, name: "vite"}, process{pid: 20, name: "late"}
		k.listen(listener("0.0.0.0:1", 1))
		runMonitor(t, k.monitor(MonitorConfig{Events: l}))
		l.end() // nobody reads any more
		defer l.begin()
		time.Sleep(restAfter - time.Second)
		k.slow[2] = 3 * time.Second
		k.listen(listener("0.0.0.0:1", 1), listener("0.0.0.0:2", 2))
		time.Sleep(time.Minute)
		equal(t, "events before the rest", events(t, l, 0), []string{"opened tcp:0.0.0.0:2"})
		k.asked = nil
		if _, err := l.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		equal(t, "events after it", events(t, l, 1), []string{"updated tcp:0.0.0.0:2"})
		equal(t, "owners looked for", k.asked, []uint32{2})
	})
}

func TestMonitorChecksOwners(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.owners[1] = process{pid: 10, name: "starter"}
		k.owners[2] = process{pid: 20, name: "other"}
		k.listen(listener("0.0.0.0:1", 1), listener("0.0.0.0:2", 2))
		runMonitor(t, k.monitor(MonitorConfig{Events: l}))
		names := func() (names []string) {
			state, _ := l.Snapshot(t.Context())
			for _, p := range state.Ports {
				names = append(names, p.Process)
			}
			return names
		}
		time.Sleep(time.Minute)
		equal(t, "names", names(), []string{"starter", "other"})
		equal(t, "owners looked for", k.asked, []uint32{1, 2})
		k.handOn(1, process{pid: 11, name: "server", ignore: true}) // whether it is seen was decided at open
		time.Sleep(3 * time.Second)
		equal(t, "names after one was handed on", names(), []string{"server", "other"})
		k.handOn(1, process{})
		time.Sleep(3 * time.Second)
		equal(t, "names after its owner is not to be seen", names(), []string{"", "other"})
		equal(t, "events", events(t, l, 0), []string{"updated tcp:0.0.0.0:1", "updated tcp:0.0.0.0:1"})
		k.scanned()
		k.asked = nil
		time.Sleep(time.Minute)
		equal(t, "owners looked for in vain again", len(k.asked), 0)
	})
}

func TestMonitorKeepsStateWhenScansFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.listen(listener("0.0.0.0:80", 1))
		var logged bytes.Buffer
		runMonitor(t, k.monitor(MonitorConfig{Events: l, Log: slog.New(slog.NewTextHandler(&logged, nil))}))
		k.fail(errors.New("gone"))
		k.listen()
		time.Sleep(time.Minute)
		equal(t, "events", events(t, l, 0), []string{})
		if k.opened < 2 || k.opened != k.closed {
			t.Errorf("opened %d sources, closed %d", k.opened, k.closed)
		}
		if got := strings.Count(logged.String(), "level=WARN"); got != 1 {
			t.Errorf("%d warnings:\n%s", got, logged.String())
		}
		k.fail(nil)
		time.Sleep(time.Second)
		equal(t, "events", events(t, l, 0), []string{"closed tcp:0.0.0.0:80"})
		k.fail(errors.New("gone again"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := strings.Count(logged.String(), "level=WARN"); got != 2 {
			t.Errorf("%d warnings in the end:\n%s", got, logged.String())
		}
	})
}

func TestMonitorKeepsSourceWithTooManyRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.fail(ErrTooManyListeners)
		runMonitor(t, k.monitor(MonitorConfig{Events: l}))
		time.Sleep(time.Minute)
		if k.opened != 1 {
			t.Errorf("opened %d sources", k.opened)
		}
		k.fail(nil)
		time.Sleep(time.Second)
		if state, err := l.Snapshot(t.Context()); err != nil || state.Ports == nil {
			t.Errorf("snapshot %v, error %v", state, err)
		}
	})
}

func TestMonitorChoosesSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		broken, good := newFakeKernel(), newFakeKernel()
		broken.fail(refused)
		sources := []OpenSource{
			func(context.Context) (Source, error) { return nil, refused }, broken.open, good.open,
		}
		l := NewLog(0)
		runMonitor(t, good.monitor(MonitorConfig{Events: l, Sources: sources}))
		time.Sleep(time.Second)
		if broken.opened != 1 || broken.closed != 1 || good.opened != 1 {
			t.Errorf("broken source opened %d times and closed %d, good opened %d", broken.opened, broken.closed, good.opened)
		}
		err := good.monitor(MonitorConfig{Events: NewLog(0), Sources: sources[:2]}).Run(t.Context())
		if !errors.Is(err, ErrNoSource) || !errors.Is(err, refused) {
			t.Errorf("without source: error %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := good.monitor(MonitorConfig{Events: NewLog(0), Sources: sources[:2]}).Run(ctx); err != nil {
			t.Errorf("ended before it began: error %v", err)
		}
	})
}

func TestMonitorWithoutPushedCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, l := newFakeKernel(), NewLog(0)
		k.listen(listener("0.0.0.0:80", 1))
		m := k.monitor(MonitorConfig{Events: l})
		m.closes = func(context.Context, func()) error { return errors.ErrUnsupported }
		runMonitor(t, m)
		k.listen()
		time.Sleep(defaultActive)
		equal(t, "events", events(t, l, 0), []string{"closed tcp:0.0.0.0:80"})
	})
}
