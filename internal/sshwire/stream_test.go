package sshwire_test

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestGuardFailsOnlyWhereTheCloseIsNotConfirmed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		stalled bool
	}{{"confirmed", false}, {"peer hangs", true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, transport := newMemWire(t)
				client, _ := w.open(t)
				synctest.Wait() // nothing is on its way
				transport.Stall(tt.stalled)
				begun, failed := time.Now(), make(chan time.Duration, 1)
				client.Guard(time.Minute, func() { failed <- time.Since(begun) })
				if err := client.Close(); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Hour) // by the bubble's clock
				select {
				case after := <-failed:
					if !tt.stalled || after != time.Minute {
						t.Errorf("failed after %v", after)
					}
				default:
					if tt.stalled {
						t.Error("a close that the peer never confirmed did not fail")
					}
				}
				transport.Stall(false)
			})
		})
	}
}
