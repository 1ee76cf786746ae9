package gitwatch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.com"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// follow follows a branch until the test ends.
func follow(t *testing.T, url, branch string) <-chan State {
	t.Helper()
	states := make(chan State, 100)
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{}}
	ended := make(chan error, 1)
	go func() { ended <- Follow(ctx, client, url, branch, func(s State) { states <- s }) }() // ends with cancel, waited for below
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("follow ended with %v", err)
		}
		client.CloseIdleConnections()
	})
	return states
}

func await(t *testing.T, states <-chan State, want State) {
	t.Helper()
	deadline := time.After(time.Minute)
	var last State
	for {
		select {
		case last = <-states:
			if last.same(want) {
				return
			}
		case <-deadline:
			t.Fatalf("not told within a minute: %+v; last: %+v", want, last)
		}
	}
}

func newServer(t *testing.T, dir string) (*Watcher, string) {
	t.Helper()
	w := New(Config{Dir: dir})
	server := httptest.NewServer(w)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }() // ends with cancel, waited for below
	t.Cleanup(func() {
		cancel()
		<-ended
		server.Close()
	})
	return w, server.URL
}

func TestFollowTellsEachMoveOfTheBranch(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "w")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_, url := newServer(t, dir)
	states := follow(t, url, "sketch/fix")
	await(t, states, State{Branch: "sketch/fix"}) // no repository yet
	git(t, dir, "init", "-q", "-b", "sketch/fix")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	first := git(t, dir, "rev-parse", "HEAD")
	await(t, states, State{Branch: "sketch/fix", Commit: first, Head: "sketch/fix"})
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	second := git(t, dir, "rev-parse", "HEAD")
	await(t, states, State{Branch: "sketch/fix", Commit: second, Head: "sketch/fix"})
	git(t, dir, "switch", "-q", "-c", "aside")
	await(t, states, State{Branch: "sketch/fix", Commit: second, Head: "aside"})
	git(t, dir, "branch", "-f", "sketch/fix", first)
	aside := []Other{{Name: "aside", Commit: second}}
	await(t, states, State{Branch: "sketch/fix", Commit: first, Head: "aside", Others: aside})
	git(t, dir, "branch", "-D", "sketch/fix")
	await(t, states, State{Branch: "sketch/fix", Head: "aside", Others: aside})
	git(t, dir, "pack-refs", "--all")
	git(t, dir, "switch", "-q", "--detach")
	await(t, states, State{Branch: "sketch/fix", Others: aside})
}

func TestBaseIsNotedOnce(t *testing.T) {
	t.Parallel()
	w, url := newServer(t, t.TempDir())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	send := func(base Base) {
		t.Helper()
		if err := SendBase(t.Context(), client, url, base); err != nil {
			t.Fatal(err)
		}
	}
	send(Base{Branch: "main", Commit: strings.Repeat("1", 40)})
	if note := w.Note(); note != "" {
		t.Errorf("nothing has moved: %q", note)
	}
	for range 2 {
		send(Base{Branch: "main", Commit: strings.Repeat("2", 40), Behind: 3})
	}
	if note := w.Note(); !strings.Contains(note, "branch main has 3 new commits") || !strings.Contains(note, "git fetch sketch-host") {
		t.Errorf("note: %q", note)
	}
	if note := w.Note(); note != "" {
		t.Errorf("noted again: %q", note)
	}
}

func TestServerRefusesWhatIsNoBranch(t *testing.T) {
	t.Parallel()
	_, url := newServer(t, t.TempDir())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]int{
		"/git": http.StatusBadRequest, "/git?branch=-x": http.StatusBadRequest, "/git?branch=*": http.StatusBadRequest, "/git/other": http.StatusNotFound,
		"/git/base": http.StatusMethodNotAllowed,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// Whatever a hostile container streams, only states of the branch that was asked for come out, and it ends with an error.
func FuzzReadStates(f *testing.F) {
	commit := strings.Repeat("a", 40)
	for _, s := range []string{
		"", "\n", "{}\n", `{"branch":"sketch/x"}` + "\n", `{"branch":"sketch/x","commit":"` + commit + `"}` + "\n", `{"branch":"sketch/x","commit":"--all"}` + "\n",
		`{"branch":"main"}` + "\n", `{"branch":"sketch/x"`, strings.Repeat("x", 2*maxLine), "null\n", "[]\n", `{"branch":"sketch/x","head":"` + strings.Repeat("h", 600) + `"}` + "\n",
	} {
		f.Add(s)
		f.Add(strings.Replace(s, `"}`, `","others":[{"name":"a\u001b[2J","commit":"`+commit+`"}],"detached":"-x"}`, 1))
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := readStates(strings.NewReader(s), "sketch/x", func(s State) {
			if s.Branch != "sketch/x" || s.Commit != "" && !commitName.MatchString(s.Commit) || len(s.Head) > maxName || len(s.Others) > MaxOthers {
				t.Errorf("handed out %+v", s)
			}
		})
		if err == nil {
			t.Error("the stream has ended without an error")
		}
	})
}

func TestPacksAppearWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	_, url := newServer(t, dir)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	name := "pack-" + strings.Repeat("a", 40) + ".pack"
	if err := SendPack(t.Context(), client, url, name, 5, strings.NewReader("PACK!")); err != nil {
		t.Fatal(err)
	}
	if err := SendPack(t.Context(), client, url, "pack-"+strings.Repeat("b", 40)+".pack", 50, strings.NewReader("PACK!")); err == nil {
		t.Error("a short pack was taken")
	}
	for _, bad := range []string{"pack-x.pack", "..%2F..%2Fconfig", "pack-" + strings.Repeat("a", 40) + ".keep", ""} {
		if err := SendPack(t.Context(), client, url, bad, 1, strings.NewReader("x")); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	packs := filepath.Join(dir, ".git", "objects", "pack")
	entries, err := os.ReadDir(packs)
	for deadline := time.Now().Add(time.Minute); err == nil && len(entries) > 1 && time.Now().Before(deadline); { // the short one's remains go when its connection has
		entries, err = os.ReadDir(packs)
	}
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("packs: %v, %v", entries, err)
	}
	if content, err := os.ReadFile(filepath.Join(packs, name)); err != nil || string(content) != "PACK!" {
		t.Errorf("content: %q, %v", content, err)
	}
}
