//go:build linux

package shell

import (
	"errors"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

func TestWhatIsLeftBehind(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{
		"background":       "(echo up; while :; do sleep 0.01; echo tick; done) & echo started",
		"own session":      "setsid sh -c 'echo up; while :; do sleep 0.01; echo tick; done' & echo started",
		"deaf to hangup":   "nohup sh -c 'echo up; while :; do sleep 0.01; echo tick; done' & echo started",
		"never ceases":     "yes tick & echo started",
		"double fork":      "( ( exec sh -c 'while :; do sleep 0.01; echo tick; done' ) & ) ; echo started",
		"deaf to any word": "(trap '' HUP TERM; while :; do sleep 0.01; echo tick; done) & echo started",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t)
			o := run(t, s, command)
			if o.Exit != 0 || o.Job != 1 || o.TimedOut {
				t.Fatalf("got %+v", o)
			}
			var seen int64
			tooltest.Eventually(t, "it goes on, and is read", func() bool {
				output, _, status, err := s.Read(t.Context(), 1, 0)
				if err != nil || !status.Running || !status.Left {
					t.Fatalf("%+v, %v", status, err)
				}
				if seen == 0 {
					seen = status.Bytes
				}
				return status.Bytes > seen && strings.Contains(output, "tick\n")
			})
			status, err := s.Kill(1)
			if err != nil || status.Running {
				t.Errorf("%+v, %v", status, err)
			}
			if ended := s.Ended(); len(ended) != 0 {
				t.Errorf("told of what was asked for: %+v", ended)
			}
		})
	}
}

// TestDaemonIsLeftAlone starts one that has neither our session nor our output.
func TestDaemonIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	o := run(t, s, "setsid sh -c 'echo $$ >pid; exec sleep 1000' >/dev/null 2>&1 </dev/null & while ! [ -s pid ]; do sleep 0.01; done; cat pid")
	pid, err := strconv.Atoi(strings.TrimSpace(o.Output))
	if err != nil || o.Job != 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	s.Close()
	if !alive(pid) {
		t.Error("it was ended")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	quick, err := s.Start("echo out; exit 3", tooltest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	endless, err := s.Start("echo first; exec sleep 1000", tooltest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	output, _, status, err := s.Read(t.Context(), quick, tooltest.Patience)
	if err != nil || output != "out\n" || status.Running || status.Exit != 3 {
		t.Errorf("%q, %+v, %v", output, status, err)
	}
	tooltest.Eventually(t, "the end is told", func() bool { ended := s.Ended(); return len(ended) == 1 && ended[0].Number == quick })
	tooltest.Eventually(t, "output", func() bool { output, _, _, _ := s.Read(t.Context(), endless, 0); return output == "first\n" })
	if jobs := s.Jobs(); len(jobs) != 2 || !jobs[1].Running || jobs[0].Running {
		t.Errorf("jobs %+v", jobs)
	}
	if status, err := s.Kill(endless); err != nil || status.Running || status.Signal != "terminated" {
		t.Errorf("%+v, %v", status, err)
	}
	if _, err := s.Kill(99); !errors.Is(err, ErrNoJob) {
		t.Errorf("unknown job: %v", err)
	}
}

func TestJobTimeLimit(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	n, err := s.Start("sleep 1000", 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	_, _, status, err := s.Read(t.Context(), n, tooltest.Patience)
	if err != nil || status.Running || status.Note != "its time of 100ms was up" {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestCloseEndsJobs(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	var pids []int
	for range 3 {
		n, err := s.Start("trap '' TERM HUP; echo $$; while :; do sleep 1000; done", tooltest.Patience)
		if err != nil {
			t.Fatal(err)
		}
		tooltest.Eventually(t, "started", func() bool {
			output, _, _, _ := s.Read(t.Context(), n, 0)
			pid, err := strconv.Atoi(strings.TrimSpace(output))
			pids = append(pids, pid)
			return err == nil
		})
	}
	s.Close()
	for _, pid := range pids {
		if pid != 0 && alive(pid) {
			t.Errorf("%d is alive", pid)
		}
	}
	if _, err := s.Run(t.Context(), "true", tooltest.Patience, func(string) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("run after close: %v", err)
	}
	if _, err := s.Start("true", tooltest.Patience); !errors.Is(err, ErrClosed) {
		t.Errorf("start after close: %v", err)
	}
}

func TestFinishedJobsAreForgotten(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for range maxFinished + 5 {
		n, err := s.Start("true", tooltest.Patience)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.Read(t.Context(), n, tooltest.Patience); err != nil {
			t.Fatal(err)
		}
	}
	if jobs := s.Jobs(); len(jobs) > maxFinished+1 {
		t.Errorf("%d jobs", len(jobs))
	}
}
