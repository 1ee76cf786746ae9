package ports

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// tell publishes events of one port, whose text is their type, a second apart.
func tell(l *Log, types ...EventType) {
	for _, typ := range types {
		l.append([]Event{{
			Type: typ, Port: "tcp:127.0.0.1:3000", Number: 3000,
			Timestamp: time.Unix(int64(l.state.Seq+1), 0).UTC(),
		}}, l.state.Ports)
	}
}

func primed(size int, ports ...Port) *Log {
	l := NewLog(size)
	l.prime(append([]Port{}, ports...), [2]uint16{32768, 60999})
	return l
}

func seqs(events []Event) []uint64 {
	got := []uint64{}
	for _, ev := range events {
		got = append(got, ev.Seq)
	}
	return got
}

func TestLogKeepsTheLastEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		size    int
		types   []EventType
		since   int64 // seconds, as tell counts them
		plain   []uint64
		overrun bool
		all     []uint64 // after since, what a reader there gets; nil is a snapshot
	}{
		{name: "empty", size: 3, plain: []uint64{}},
		{name: "not full", size: 3, types: []EventType{Opened, Closed}, plain: []uint64{1, 2}, all: []uint64{1, 2}},
		{name: "strictly after", size: 3, types: []EventType{Opened, Closed}, since: 1, plain: []uint64{2}, all: []uint64{2}},
		{name: "full", size: 3, types: []EventType{Opened, Closed, Opened}, plain: []uint64{1, 2, 3}, all: []uint64{1, 2, 3}},
		{name: "overrun", size: 3, types: []EventType{Opened, Closed, Opened, Closed}, plain: []uint64{2, 3, 4}, overrun: true},
		{
			name: "no overrun for who knows the lost one", size: 3, types: []EventType{Opened, Closed, Opened, Closed}, since: 1,
			plain: []uint64{2, 3, 4}, all: []uint64{2, 3, 4},
		},
		{
			name: "updates take no room", size: 3, types: []EventType{Opened, Updated, Closed, Updated, Opened}, plain: []uint64{1, 3, 5},
			all: []uint64{1, 2, 3, 4, 5},
		},
		{
			name: "but are bounded", size: 2, types: []EventType{Opened, Updated, Updated, Updated, Updated}, since: 1, plain: []uint64{},
			all: []uint64{2, 3, 4, 5},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := primed(tt.size)
			tell(l, tt.types...)
			events, overrun := l.since(time.Unix(tt.since, 0))
			equal(t, "since", seqs(events), tt.plain)
			if overrun != tt.overrun {
				t.Errorf("overrun %v, want %v", overrun, tt.overrun)
			}
			if len(tt.types) == 0 {
				return
			}
			update, err := l.Wait(t.Context(), l.epoch, uint64(tt.since))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "after", seqs(update.Events), append([]uint64{}, tt.all...))
			if want := uint64(len(tt.types)); update.Snapshot.Seq != want {
				t.Errorf("snapshot at %d, want %d", update.Snapshot.Seq, want)
			}
		})
	}
}

func TestLogDefaultSize(t *testing.T) {
	t.Parallel()
	l := primed(0)
	for range 75 {
		tell(l, Opened, Updated, Closed)
	}
	events, overrun := l.since(time.Time{})
	if len(events) != 100 || !overrun {
		t.Errorf("%d events, overrun %v; want 100, true", len(events), overrun)
	}
	if len(l.events) > 200 {
		t.Errorf("log holds %d events", len(l.events))
	}
}

func TestLogWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := NewLog(3)
		type answer struct {
			update Update
			err    error
		}
		wait := func(ctx context.Context, epoch string, seq uint64) <-chan answer {
			c := make(chan answer, 1)
			// Ends with Wait; every test below makes that return.
			go func() {
				update, err := l.Wait(ctx, epoch, seq)
				c <- answer{update, err}
			}()
			synctest.Wait()
			return c
		}
		returned := func(what string, c <-chan answer, want bool) answer {
			t.Helper()
			synctest.Wait()
			select {
			case a := <-c:
				if !want {
					t.Errorf("%s: returned %+v", what, a)
				}
				return a
			default:
				if want {
					t.Errorf("%s: still waits", what)
				}
				return answer{}
			}
		}

		first := wait(t.Context(), "", 0)
		returned("before the first scan", first, false)
		l.prime([]Port{port(22, "0.0.0.0")}, [2]uint16{1, 2})
		equal(t, "new reader", returned("after it", first, true).update,
			Update{Snapshot: Snapshot{Epoch: l.epoch, Ports: []Port{port(22, "0.0.0.0")}, Ephemeral: [2]uint16{1, 2}}})

		a, b := wait(t.Context(), l.epoch, 0), wait(t.Context(), l.epoch, 0)
		returned("up to date", a, false)
		tell(l, Opened)
		for _, c := range []<-chan answer{a, b} {
			equal(t, "each waiter's events", seqs(returned("after an event", c, true).update.Events), []uint64{1})
		}

		for what, c := range map[string]<-chan answer{
			"another epoch": wait(t.Context(), "x", 1),
			"the future":    wait(t.Context(), l.epoch, 2),
		} {
			if got := returned(what, c, true).update; got.Events != nil || got.Snapshot.Seq != 1 {
				t.Errorf("%s: got %+v, want a snapshot only", what, got)
			}
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := wait(ctx, l.epoch, 1)
		time.Sleep(time.Second)
		if got := returned("past its deadline", late, true); !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("error %v", got.err)
		}
	})
}

func TestLogSnapshotsAreNotTouched(t *testing.T) {
	t.Parallel()
	l := primed(2, port(1, "::"))
	before, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tell(l, Opened, Closed, Opened, Closed)
	l.append([]Event{{Type: Opened}}, []Port{port(2, "::")})
	equal(t, "old snapshot", before, Snapshot{Epoch: l.epoch, Ports: []Port{port(1, "::")}, Ephemeral: [2]uint16{32768, 60999}})
	if other := NewLog(0); other.epoch == l.epoch {
		t.Error("epochs repeat")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewLog(0).Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("snapshot before the first scan: error %v", fmt.Sprint(err))
	}
	if _, err := NewLog(0).Wait(ctx, "", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting before the first scan: error %v", err)
	}
}
