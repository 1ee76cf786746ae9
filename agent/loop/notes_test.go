package loop

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

// What happens around the agent is told to the model once, with the next request.
func TestNotes(t *testing.T) {
	t.Parallel()
	both(t, `
		{"expect":{"last":["Port 8080 opened (node)."]},"reply":[{"tool":"serve"}]},
		{"expect":{"last":["Port 3000 opened","Port 8080 closed","job 1 ended","main has moved"]},"reply":[{"tool":"echo","input":{"text":"x"}}]},
		{"expect":{"last":["x"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.tools.mu.Lock()
			w.tools.open = []uint16{8080}
			w.tools.mu.Unlock()
			w.tools.add("serve", func(context.Context, input, func(string)) (tools.Result, error) {
				w.tools.mu.Lock()
				defer w.tools.mu.Unlock()
				w.tools.open, w.tools.jobs = []uint16{3000}, "job 1 ended"
				w.tools.news = "main has moved"
				return tools.Result{Text: "serving"}, nil
			})
			w.say("serve", conversation.Done)
			if body := string(w.fake.Requests()[2].Body); strings.Count(body, "Port 3000 opened") != 1 {
				w.t.Error("a port was told twice")
			}
		})
}

// Near the end of its context the conversation is shortened, and keeps the task, the plan and the files.
func TestCompaction(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"todo","input":{"text":"paint the door"}}]},
		{"reply":[{"tool":"echo","input":{"text":"x","path":"door.go"}}],"usage":{"input":9500,"output":10}},
		{"expect":{"last":["summary that you write now"]},"reply":[{"text":"The door is half green."}],"usage":{"input":9600,"output":10}},
		{"expect":{"last":["make the door green","paint the door","door.go","half green"],"nowhere":["tool_result","\"tool\""]},"reply":[{"text":"Painted."}],"usage":{"input":100,"output":10}},
		{"expect":{"last":["thanks"],"anywhere":["make the door green","Painted."]},"reply":[{"text":"Welcome."}]}`,
		func(w *world) {
			w.configure(conversation.Model{ContextWindow: 10_000})
			page := w.say("make the door green", conversation.Done)
			if !contains(page, "was shortened") || page.Status.ContextUsed != 110 || page.Status.ContextSize != 10_000 {
				w.t.Errorf("%s\n%+v", describe(page), page.Status)
			}
			if purpose := w.fake.Requests()[2].Header.Get("X-Sketch-Purpose"); purpose != "compact" {
				w.t.Error(purpose)
			}
			w.restart()
			w.configure(conversation.Model{ContextWindow: 10_000})
			w.say("thanks", conversation.Done)
		})
}

// Where the model cannot summarise, nothing stops: what is known without it is kept.
func TestCompactionWithoutModel(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"text":"I look around."},{"tool":"echo","input":{"text":"x"}}]},
		{"reply":[{"tool":"echo","input":{"text":"x"}}],"usage":{"input":9500,"output":10}},
		{"status":400},{"status":500},
		{"expect":{"last":["make the door green","I look around."]},"reply":[{"text":"Painted."}]}`,
		func(w *world) {
			w.configure(conversation.Model{ContextWindow: 10_000})
			w.say("make the door green", conversation.Done)
		})
}

func TestCompactionIsCancelled(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"echo","input":{"text":"x"}}]},
		{"reply":[{"tool":"echo","input":{"text":"x"}}],"usage":{"input":9500,"output":10}},
		{"reply":[{"hold":"summary"},{"text":"x"}]}`,
		func(w *world) {
			w.configure(conversation.Model{ContextWindow: 10_000})
			w.prompt("go")
			<-w.fake.Reached("summary")
			if s := w.conversation.Status().State; s != conversation.Compacting {
				w.t.Error(s)
			}
			w.loop.Cancel("")
			w.over(1, conversation.Cancelled)
		})
}

func (w *world) git(env []string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir, cmd.Env = w.dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

var gitEnv = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org"}

func TestUncommittedWork(t *testing.T) {
	t.Parallel()
	both(t, `{"expect":{"anywhere":["branch: sketch/x","AGENTS say hello"]},"reply":[{"text":"ok"}]},{"reply":[{"text":"ok"}]}`, func(w *world) {
		w.put("AGENTS.md", "AGENTS say hello")
		w.put("old name", "some text that is long enough to be found again")
		w.git(gitEnv, "init", "-qb", "sketch/x")
		w.git(gitEnv, "add", ".")
		w.git(gitEnv, "commit", "-qm", "first")
		w.git(gitEnv, "mv", "old name", "new name")
		w.put("dir/é new", "x")
		page := w.say("hi", conversation.Done)
		if !slices.Equal(page.Status.Uncommitted, []string{"new name", "dir/é new"}) {
			w.t.Errorf("%q", page.Status.Uncommitted)
		}
		w.git(gitEnv, "add", ".")
		w.git(gitEnv, "commit", "-qm", "second")
		if page = w.say("hi", conversation.Done); len(page.Status.Uncommitted) > 0 {
			w.t.Errorf("%q", page.Status.Uncommitted)
		}
	})
}

// The agent's commits have the trailer once, whoever else has hooks; other people's have not, nor those for whom it is off.
func TestCommitHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, llm.Anthropic, "")
	hooks, err := InstallCommitHooks(filepath.Join(t.TempDir(), "hooks"))
	if err != nil {
		t.Fatal(err)
	}
	env := hooks.Env(append(slices.Clone(gitEnv), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=x"))
	w.git(gitEnv, "init", "-q")
	last := func() string { return w.git(gitEnv, "log", "-1", "--format=%an%n%B") }
	commit := func(env []string, args ...string) string {
		w.git(env, append([]string{"commit", "-q", "--allow-empty"}, args...)...)
		return last()
	}
	if got := commit(env, "-m", "off"); strings.Contains(got, "Sketch") {
		t.Error(got)
	}
	if err := hooks.SetCoAuthor(true); err != nil {
		t.Fatal(err)
	}
	if got := commit(env, "-m", "subject", "-m", "body"); got != "Ada\nsubject\n\nbody\n\n"+CoAuthor+"\n\n" {
		t.Errorf("%q", got)
	}
	if got := commit(env, "--amend", "--no-edit"); strings.Count(got, CoAuthor) != 1 {
		t.Error(got)
	}
	if got := commit(gitEnv, "-m", "by hand"); strings.Contains(got, "Sketch") {
		t.Error(got)
	}
	// The repository's own hooks run, and can refuse.
	w.put(".husky/prepare-commit-msg", "#!/bin/sh\necho from husky >> \"$1\"\n")
	w.put(".husky/pre-commit", "#!/bin/sh\n[ ! -e refuse ]\n")
	w.makeExecutable(".husky/prepare-commit-msg", ".husky/pre-commit")
	w.git(gitEnv, "config", "core.hooksPath", ".husky")
	if got := commit(env, "-m", "hooked"); !strings.Contains(got, "from husky") || !strings.Contains(got, CoAuthor) {
		t.Error(got)
	}
	w.put("refuse", "")
	cmd := exec.CommandContext(t.Context(), "git", "commit", "-q", "--allow-empty", "-m", "no")
	cmd.Dir, cmd.Env = w.dir, env
	if cmd.Run() == nil {
		t.Error("the repository's hook could not refuse")
	}
	if err := hooks.SetCoAuthor(false); err != nil || hooks.SetCoAuthor(false) != nil {
		t.Error(err)
	}
}

func (w *world) makeExecutable(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := exec.CommandContext(w.t.Context(), "chmod", "+x", filepath.Join(w.dir, name)).Run(); err != nil {
			w.t.Fatal(err)
		}
	}
}
