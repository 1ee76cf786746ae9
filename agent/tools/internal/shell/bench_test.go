//go:build linux

package shell

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkCancel measures how long a call goes on after it was cancelled: of a command that ends as it is told, and of one whose whole family does not listen.
// The targets are in the median and the worst, in milliseconds.
func BenchmarkCancel(b *testing.B) {
	for _, command := range []struct{ name, text string }{
		{"obedient", "sleep 60 | sleep 60"},
		{"deaf", "trap '' TERM INT HUP; (trap '' TERM; sleep 60) & while :; do sleep 1; done"},
	} {
		b.Run(command.name, func(b *testing.B) {
			dir := b.TempDir()
			s := New(Config{Dir: dir, Spool: filepath.Join(dir, "spool")})
			defer s.Close()
			var took []time.Duration
			for b.Loop() {
				took = append(took, cancelled(b, s, command.text))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms/worst")
		})
	}
}

// cancelled starts a command, cancels it while it runs, and says how long that took.
func cancelled(b *testing.B, s *Shell, command string) time.Duration {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	running, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with the command; waited for below
		defer close(ended)
		first := true
		_, _ = s.Run(ctx, "echo running; "+command, time.Minute, func(string) {
			if first {
				first = false
				close(running)
			}
		})
	}()
	<-running
	begun := time.Now()
	cancel()
	<-ended
	return time.Since(begun)
}
