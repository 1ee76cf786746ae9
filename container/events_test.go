package container

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), nil)
	other := session(t, e, plainImage(t, e), nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	steps := []func() error{
		func() error { return e.Pause(ctx, c.ID) },
		func() error { return e.Unpause(ctx, c.ID) },
		func() error { return e.Kill(ctx, other.ID) },
		func() error { return e.Kill(ctx, c.ID) },
		func() error { _, err := e.Start(ctx, c.ID); return err },
		func() error { return e.Remove(ctx, c.ID) },
	}
	if err := func() error { // everything happens while the loop listens
		done := make(chan error, 1)
		var got []string
		for ev := range e.Events(ctx, c.ID) {
			if ev.Type == EventSubscribed {
				// Ends with the steps; waited for below.
				go func() {
					for _, step := range steps {
						if err := step(); err != nil {
							cancel()
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			if ev.ID != c.ID {
				t.Errorf("event of %s", ev.ID)
			}
			got = append(got, fmt.Sprintf("%s %d", ev.Type, ev.ExitCode))
			if ev.Type == EventDestroy {
				break
			}
		}
		want := []string{"subscribed 0", "pause 0", "unpause 0", "die 137", "start 0", "die 137", "destroy 0"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		return <-done
	}(); err != nil {
		t.Fatal(err)
	}
}

func TestEventsReconnect(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			fmt.Fprintln(w, `{"Action":"start","Actor":{"ID":"c"}}`)
		case 2, 3:
			hangUp(w, r)
		default:
			fmt.Fprintln(w, `{"Action":"exec_die","Actor":{"ID":"c"}}`)
			fmt.Fprintln(w, `{"Action":"die","Actor":{"ID":"c","Attributes":{"exitCode":"3"}},"timeNano":1}`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	for ev := range e.Events(ctx, "c") {
		got = append(got, fmt.Sprintf("%s %d", ev.Type, ev.ExitCode))
		if ev.Type == EventInterrupted {
			wantError(t, ev.Err, ErrEngineLost)
		}
		if ev.Type == EventDie {
			cancel()
		}
	}
	want := []string{"subscribed 0", "start 0", "interrupted 0", "subscribed 0", "die 3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEventsTellsNoSubscriptionThatFailed counts on chance, hence the many attempts: the client returns before it tells
// of a failure.
func TestEventsTellsNoSubscriptionThatFailed(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]http.HandlerFunc{
		"hang up": hangUp,
		"refusal": fail(http.StatusInternalServerError, "no"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := fakeEngine(t, handle)
			for range 300 {
				subscribed, err := e.stream(t.Context(), "c", func(ev Event) bool {
					t.Errorf("told %s", ev.Type)
					return true
				})
				if subscribed || err == nil {
					t.Fatalf("subscribed: %t, error %v", subscribed, err)
				}
			}
		})
	}
}
