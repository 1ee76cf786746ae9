package session_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// TestAgentOutlivesACrowd fills the container with processes up to its limit, as a fork bomb does: the agent, whose threads count too, has to go
// on, and to serve again once there is room.
func TestAgentOutlivesACrowd(t *testing.T) {
	t.Parallel()
	w := open(t, newStore(t))
	w.Configure(session.Settings{BaseImage: baseImage(), Container: session.ContainerSettings{PIDs: 256}})
	info := w.start(newRepo(t))
	const who = `cut -d' ' -f1,22 /proc/$PPID/stat` // number and start of the process that runs our commands
	before := w.output(info.Name, who)
	crowd := w.output(info.Name, `sh -c 'b() { sleep 10 & b; }; b'; true`)
	if !strings.Contains(crowd, "fork") {
		t.Fatalf("there is room: %q", crowd)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_ = w.Exec(t.Context(), info.Name, []string{"sleep", "1"}, session.Streams{}) // most cannot be started
		})
	}
	all.Wait()
	for deadline := time.Now().Add(time.Minute); ; {
		var out strings.Builder
		err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", who}, session.Streams{Out: &out})
		if err == nil && strings.TrimSpace(out.String()) != before {
			t.Fatalf("the agent is another one: %s, was %s", out.String(), before)
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is no room again: %v", err)
		}
	}
}
