package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestToaster drives a toaster by itself, as the terminal front end does; the server's transcripts have the details.
func TestToaster(t *testing.T) {
	forwarded := func(number int, generation uint64, action PortAction) Port {
		return Port{Number: number, HostPort: number, Status: PortForwarded, Action: action, Generation: generation}
	}
	tests := []struct {
		name  string
		acts  func(PortAction) bool
		drive func(t *Toaster)
		want  []string
	}{
		{"a burst of many calls", nil, func(toaster *Toaster) {
			for i := range 100 {
				toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify), forwarded(4000+i, 1, ActionNotify)})
			}
		}, []string{"75ms a: Ports 3000, 4099 forwarded"}},
		{"sessions do not share a cooldown", nil, func(toaster *Toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify)})
			time.Sleep(time.Second)
			toaster.Observe("b", true, []Port{forwarded(3000, 1, ActionNotify)})
		}, []string{"75ms a: Port 3000 forwarded", "1.075s b: Port 3000 forwarded"}},
		{"a forgotten session is new", nil, func(toaster *Toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify)})
			time.Sleep(10 * time.Second)
			toaster.Forget("a")
			time.Sleep(10 * time.Second)
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify)})
		}, []string{"75ms a: Port 3000 forwarded", "20.075s a: Port 3000 forwarded"}},
		{"who cannot act tells", nil, func(toaster *Toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionOpenBrowser), forwarded(3001, 1, ActionOpenPreview)})
		}, []string{"75ms a: Ports 3000, 3001 forwarded"}},
		{"who can acts at once", func(action PortAction) bool { return action == ActionOpenBrowser }, func(toaster *Toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionOpenBrowser), forwarded(3001, 1, ActionOpenPreview)})
		}, []string{"0s a: openBrowser 3000", "75ms a: Port 3001 forwarded"}},
		{"a server that keeps crashing", nil, func(toaster *Toaster) {
			for i := range 10 {
				toaster.Observe("a", true, []Port{forwarded(3000, uint64(i), ActionNotify)})
				time.Sleep(time.Second)
			}
		}, []string{"75ms a: Port 3000 forwarded", "5.075s a: Port 3000 forwarded", "10.075s a: Port 3000 forwarded"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				start := time.Now()
				var got []string
				say := func(session, what string) {
					got = append(got, fmt.Sprintf("%v %s: %s", time.Since(start), session, what))
				}
				toaster := NewToaster(ToasterConfig{
					Tell: func(toast Toast) { say(toast.Session, toast.Text) },
					Act:  func(session string, port Port) { say(session, fmt.Sprintf("%s %d", port.Action, port.Number)) },
					Acts: tt.acts,
				})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- toaster.Run(ctx) }()
				tt.drive(toaster)
				time.Sleep(time.Hour)
				synctest.Wait()
				cancel()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Errorf("Run() = %v", err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
