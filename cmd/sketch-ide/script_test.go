package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the commands as a user types them. Beside testscript's own commands there are:
//
//	repo DIR           makes a git repository with one commit
//	freeport VAR       sets VAR to a port that is free on this machine
//	get URL TEXT       asks URL until the answer contains TEXT, for at most 2 minutes
//	awaitref DIR REF   waits until the repository DIR has REF, for at most 2 minutes
//	await FILE TEXT    waits until FILE contains TEXT, for at most 2 minutes
//	awaitout PATTERN COMMAND...
//	                   runs the command until what it prints matches, for at most 2 minutes
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) < 6 {
		t.Fatalf("found %d scripts (%v): some are not run", len(scripts), err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("BASE", testBase())
			env.Setenv("SKETCH_IDE_AGENT", os.Getenv("SKETCH_IDE_AGENT"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("RUN", strings.ToLower(rand.Text()[:8])) // for names, which are the engine's too
			env.Defer(func() { removeSessions(t, env) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"repo": makeRepo, "freeport": freePort, "get": get, "await": await, "awaitout": awaitOut, "awaitref": awaitRef},
	})
}

// removeSessions removes what a script that failed has left on the engine.
func removeSessions(t *testing.T, env *testscript.Env) {
	c := command(t, "prune", "--all", "--keep-images")
	c.Env = append(os.Environ(), "XDG_STATE_HOME="+env.Getenv("XDG_STATE_HOME"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Logf("remove sessions: %v\n%s", err, out)
	}
}

func makeRepo(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(ts.Exec("git", "init", "-q", "-b", "main", dir))
	ts.Check(os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello from inside\n"), 0o600))
	ts.Check(ts.Exec("git", "-C", dir, "add", "."))
	ts.Check(ts.Exec("git", "-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "first"))
}

// lastPort makes freePort give scripts that run side by side different numbers.
var lastPort atomic.Int32

func freePort(ts *testscript.TestScript, _ bool, args []string) {
	l := takePort(ts)
	ts.Check(l.Close())
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// takePort listens on a port that is free, and has some room to its neighbours.
func takePort(t interface{ Fatalf(string, ...any) }) net.Listener {
	for port := 15000 + os.Getpid()%5000 + 10*int(lastPort.Add(1)); port < 21000; port++ {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l
		}
	}
	t.Fatalf("no free port")
	return nil
}

// scriptLimit is for what is waited for, which a session's start may be part of.
const scriptLimit = 2 * time.Minute

// eventually asks until the answer is right or the time is over.
func eventually(ts *testscript.TestScript, ask func() error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(scriptLimit)
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("not within %v: %v", scriptLimit, err)
		case <-tick.C:
		}
	}
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Timeout: 5 * time.Second}
	eventually(ts, func() error {
		res, err := client.Get(args[0])
		if err != nil {
			return err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err == nil && !strings.Contains(string(body), args[1]) {
			err = fmt.Errorf("answer is %q", body)
		}
		return err
	})
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	eventually(ts, func() error {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && !strings.Contains(string(data), args[1]) {
			err = fmt.Errorf("%s is %q", args[0], data)
		}
		return err
	})
}

func awaitOut(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	eventually(ts, func() error {
		err := ts.Exec(args[1], args[2:]...)
		if out := ts.ReadFile("stdout"); err == nil && !pattern.MatchString(out) {
			err = fmt.Errorf("%v printed %q", args[1:], out)
		}
		return err
	})
}

func awaitRef(ts *testscript.TestScript, _ bool, args []string) {
	eventually(ts, func() error {
		return ts.Exec("git", "-C", ts.MkAbs(args[0]), "rev-parse", "--verify", "--quiet", args[1])
	})
}
