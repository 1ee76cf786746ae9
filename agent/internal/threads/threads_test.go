//go:build linux

package threads

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReserve(t *testing.T) {
	t.Parallel()
	const n = 50
	if err := Reserve(n); err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) < n {
		t.Errorf("%d threads", len(tasks))
	}
	if err := Reserve(n); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadDir("/proc/self/task"); len(again) > len(tasks)+10 {
		t.Errorf("%d threads have become %d", len(tasks), len(again))
	}
}
