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
		drive func(t *toaster)
		want  []string
	}{
		{"a burst of many calls", nil, func(toaster *toaster) {
			for i := range 100 {
				toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify), forwarded(4000+i, 1, ActionNotify)})
			}
		}, []string{"75ms a: Ports 3000, 4099 forwarded"}},
		{"sessions do not share a cooldown", nil, func(toaster *toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify)})
			time.Sleep(time.Second)
			toaster.Observe("b", true, []Port{forwarded(3000, 1, ActionNotify)})
		}, []string{"75ms a: Port 3000 forwarded", "1.075s b: Port 3000 forwarded"}},
		{"a forgotten session is new", nil, func(toaster *toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify)})
			time.Sleep(10 * time.Second)
			toaster.Forget("a")
			time.Sleep(10 * time.Second)
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionNotify)})
		}, []string{"75ms a: Port 3000 forwarded", "20.075s a: Port 3000 forwarded"}},
		{"who cannot act tells", nil, func(toaster *toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionOpenBrowser), forwarded(3001, 1, ActionOpenPreview)})
		}, []string{"75ms a: Ports 3000, 3001 forwarded"}},
		{"who can acts at once", func(action PortAction) bool { return action == ActionOpenBrowser }, func(toaster *toaster) {
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionOpenBrowser), forwarded(3001, 1, ActionOpenPreview)})
		}, []string{"0s a: openBrowser 3000", "75ms a: Port 3001 forwarded"}},
		{"a browser is opened three times a minute, in all sessions together", func(PortAction) bool { return true }, func(toaster *toaster) {
			for i := range 5 {
				toaster.Observe("a", true, []Port{forwarded(3000, uint64(i+1), ActionOpenBrowser)})
				time.Sleep(6 * time.Second)
			}
			toaster.Observe("b", true, []Port{forwarded(4000, 1, ActionOpenPreview)})
			time.Sleep(29999 * time.Millisecond) // a minute after the first
			toaster.Observe("b", true, []Port{forwarded(4000, 1, ActionOpenPreview), forwarded(4001, 1, ActionOpenBrowser)})
			time.Sleep(6 * time.Second)
			toaster.Observe("a", true, []Port{forwarded(3000, 5, ActionOpenBrowser)}) // was told
			toaster.Observe("b", true, []Port{forwarded(4000, 2, ActionOpenBrowserOnce)})
		}, []string{
			"0s a: openBrowser 3000", "6s a: openBrowser 3000", "12s a: openBrowser 3000",
			"18.075s a: Port 3000 forwarded", "24.075s a: Port 3000 forwarded", "30.075s b: Port 4000 forwarded",
			"1m0.074s b: Port 4001 forwarded", "1m5.999s b: openBrowserOnce 4000",
		}},
		{"a burst of browsers", func(PortAction) bool { return true }, func(toaster *toaster) {
			var ports []Port
			for i := range 100 {
				ports = append(ports, forwarded(3000+i, 1, ActionOpenBrowserOnce))
			}
			toaster.Observe("a", true, ports)
		}, []string{"0s a: openBrowserOnce 3000", "0s a: openBrowserOnce 3001", "0s a: openBrowserOnce 3002", "75ms a: Ports 3003, 3004 +95 forwarded"}},
		{"once in a session, over restarts of its container", func(PortAction) bool { return true }, func(toaster *toaster) {
			for i := range 3 {
				toaster.Observe("a", true, []Port{forwarded(3000, uint64(i+1), ActionOpenBrowserOnce), forwarded(4000, uint64(i+1), ActionNotify)})
				time.Sleep(2 * time.Minute)
				toaster.Rest("a")
				time.Sleep(time.Minute)
			}
		}, []string{"0s a: openBrowserOnce 3000", "75ms a: Port 4000 forwarded", "3m0.075s a: Port 4000 forwarded", "6m0.075s a: Port 4000 forwarded"}},
		{"a forward that leads nowhere", func(PortAction) bool { return true }, func(toaster *toaster) {
			failed := Port{Number: 80, Status: PortFailed, Reason: "permission denied"}
			toaster.Observe("a", true, []Port{forwarded(3000, 0, ActionOpenBrowser), forwarded(4000, 0, ActionNotify), failed})
			time.Sleep(time.Minute)
			toaster.Observe("a", true, []Port{forwarded(3000, 1, ActionOpenBrowser), forwarded(4000, 1, ActionNotify), failed})
		}, []string{"75ms a: Port 80 not forwarded: permission denied", "1m0s a: openBrowser 3000", "1m0.075s a: Port 4000 forwarded"}},
		{"a server that keeps crashing", nil, func(toaster *toaster) {
			for i := range 10 {
				toaster.Observe("a", true, []Port{forwarded(3000, uint64(i+1), ActionNotify)})
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
				toaster := newToaster(toasterConfig{
					Tell: func(toast portToast) { say(toast.Session, toast.Text) },
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
