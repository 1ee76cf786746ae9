package gitwatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/refwatch"
)

// Config is what a Watcher needs.
type Config struct {
	Dir string       // the repository's working tree; it may come to be later
	Log *slog.Logger // nil: discarded
}

// Watcher is the end inside. Its methods may be called from several goroutines.
type Watcher struct {
	cfg Config

	mu      sync.Mutex    // guards the fields below
	changed chan struct{} // closed and replaced when a ref may have moved
	base    Base
	untold  bool // the base has moved since the last Note
}

// New returns a watcher that does nothing until Run.
func New(cfg Config) *Watcher {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Watcher{cfg: cfg, changed: make(chan struct{})}
}

const (
	retry      = 500 * time.Millisecond // while there is no repository yet
	gitTimeout = 10 * time.Second
	maxRefs    = 16 << 10 // bytes of git's answer: some branches, and HEAD
)

// Run watches the repository, from when it is there, until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		if dir, common, ok := w.find(ctx); ok {
			err := refwatch.Watch(ctx, refwatch.Config{Dir: dir, CommonDir: common, Log: w.cfg.Log}, w.wake)
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			w.wake() // it is gone
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// find returns the repository's directories once it has a HEAD.
func (w *Watcher) find(ctx context.Context) (dir, common string, ok bool) {
	if _, err := os.Lstat(filepath.Join(w.cfg.Dir, ".git")); err != nil { // spares a process twice a second
		return "", "", false
	}
	dir, err := w.git(ctx, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return "", "", false
	}
	common, err = w.git(ctx, "rev-parse", "--git-common-dir")
	if err != nil {
		return "", "", false
	}
	if !filepath.IsAbs(common) {
		common = filepath.Join(w.cfg.Dir, common)
	}
	return dir, filepath.Clean(common), true
}

func (w *Watcher) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *Watcher) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// State reads where the branch stands now. Where there is no repository yet it stands nowhere.
func (w *Watcher) State(ctx context.Context, branch string) State {
	s := State{Branch: branch}
	if commit, err := w.git(ctx, "for-each-ref", "--format=%(objectname)", "refs/heads/"+branch); err == nil && commitName.MatchString(commit) {
		s.Commit = commit
	}
	if head, err := w.git(ctx, "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil {
		s.Head = head
	} else {
		s.Detached = w.detached(ctx)
	}
	s.Others, s.More = w.others(ctx, s)
	return s
}

// git asks the repository a question. The answer is bounded: whoever works inside can give branches any names.
func (w *Watcher) git(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", w.cfg.Dir, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"}, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") }), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	var out limited
	cmd.Stdout = &out
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run git %s: %w", args[0], err)
	}
	return strings.TrimSuffix(out.buf.String(), "\n"), nil
}

// limited refuses more than maxRefs bytes. Its buffer is not embedded: its ReadFrom would know no limit.
type limited struct{ buf bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > maxRefs {
		return 0, errors.New("too much output")
	}
	return l.buf.Write(p)
}

// ServeHTTP serves /git and what is below it.
func (w *Watcher) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	switch {
	case req.URL.Path == "/git" && req.Method == http.MethodGet:
		w.serveStates(rw, req)
	case req.URL.Path == "/git/base" && req.Method == http.MethodPut:
		w.serveBase(rw, req)
	case strings.HasPrefix(req.URL.Path, packsPath) && req.Method == http.MethodPut:
		w.servePack(rw, req)
	case strings.HasPrefix(req.URL.Path, packsPath) || req.URL.Path == "/git" || req.URL.Path == "/git/base":
		http.Error(rw, "method not allowed", http.StatusMethodNotAllowed)
	default:
		http.NotFound(rw, req)
	}
}

func (w *Watcher) serveStates(rw http.ResponseWriter, req *http.Request) {
	branch := req.URL.Query().Get("branch")
	if !validBranch(branch) {
		http.Error(rw, "branch: not the name of a branch", http.StatusBadRequest)
		return
	}
	rw.Header().Set("Content-Type", "application/x-ndjson")
	encoder := json.NewEncoder(rw)
	var told *State
	for ctx := req.Context(); ctx.Err() == nil; {
		next := w.next()
		if state := w.State(ctx, branch); ctx.Err() == nil && (told == nil || !told.same(state)) {
			if encoder.Encode(state) != nil || http.NewResponseController(rw).Flush() != nil {
				return // the host is gone
			}
			told = &state
		}
		select {
		case <-next:
		case <-ctx.Done():
		}
	}
}

func (w *Watcher) serveBase(rw http.ResponseWriter, req *http.Request) {
	var base Base
	if err := json.NewDecoder(io.LimitReader(req.Body, maxLine)).Decode(&base); err != nil {
		http.Error(rw, "body: "+err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	if base != w.base {
		w.base, w.untold = base, base.Behind > 0
	}
	w.mu.Unlock()
	rw.WriteHeader(http.StatusNoContent)
}

// Note says in a sentence for the agent that the branch on the host has moved on, once for each time; nothing when it has not.
func (w *Watcher) Note() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.untold {
		return ""
	}
	w.untold = false
	commits := "1 new commit"
	if w.base.Behind != 1 {
		commits = fmt.Sprint(w.base.Behind, " new commits")
	}
	return fmt.Sprintf("On the user's machine, branch %s has %s since this work started. `git fetch sketch-host` brings them in as sketch-host/%s; take them over only if the task asks for it or builds on them.",
		w.base.Branch, commits, w.base.Branch)
}
