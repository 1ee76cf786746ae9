package session_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/session"
)

// What was committed while nobody was attached is on the host when the session was stopped, removed or pruned.
func TestEndsBringOutWhatWasCommitted(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name string
		do   func(w *window, name string) error
	}{
		{"stop", func(w *window, name string) error { return w.Stop(w.t.Context(), name) }},
		{"remove", func(w *window, name string) error { return w.Remove(w.t.Context(), name) }},
		{"prune", func(w *window, _ string) error {
			_, err := w.Prune(w.t.Context(), session.PruneOptions{All: true, KeepImages: true})
			return err
		}},
	} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			store, dir := newStore(t), newRepo(t)
			first := open(t, store)
			info := first.start(dir)
			first.close()
			script := "cd '" + info.Workspace + "' && git commit -q --allow-empty -m alone && git branch try && git commit -q --allow-empty -m more && git rev-parse HEAD"
			tip, err := exec.CommandContext(t.Context(), "docker", "exec", info.Container, "sh", "-ec", script).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := end.do(open(t, store), info.Name); err != nil {
				t.Fatal(err)
			}
			if got := runGit(t, "-C", dir, "rev-parse", info.Branch); got != strings.TrimSpace(string(tip)) {
				t.Errorf("the host's branch is at %s, inside it was %s", got, tip)
			}
		})
	}
}
