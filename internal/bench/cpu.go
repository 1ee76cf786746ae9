//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of process times in /proc, which Linux fixes for programs whatever it uses itself.
const tick = 10 * time.Millisecond

// cpuTime is what the processes have used so far, in user and kernel mode. One that has ended counts nothing.
func cpuTime(pids []int) time.Duration {
	var sum time.Duration
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// The second field is the name in parentheses, and may hold anything; utime and stime are the 14th and 15th.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		for _, field := range fields[11:13] {
			n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// threadTime is what the living threads of the processes have used so far, to the nanosecond: a tick is a tenth of what an idle session may use in ten
// seconds. Programs in Go keep their threads.
func threadTime(pids []int) time.Duration {
	var sum time.Duration
	for _, pid := range pids {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			continue
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			first, _, _ := strings.Cut(string(data), " ")
			n, _ := strconv.ParseInt(first, 10, 64) // the kernel writes numbers
			sum += time.Duration(n)
		}
	}
	return sum
}

// ownTime is what this process has used so far.
func ownTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the processes' memory in KiB.
func resident(pids []int) float64 {
	var pages int64
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		n, _ := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64) // the kernel writes numbers
		pages += n
	}
	return float64(pages) * float64(os.Getpagesize()) / 1024
}

// processes are the host's numbers of a container's processes whose command line contains what.
func processes(ctx context.Context, container, what string) ([]int, error) {
	table, err := docker(ctx, "top", container, "-eo", "pid,args")
	if err != nil {
		return nil, err
	}
	return pidsIn(table, what), nil
}

func pidsIn(table, what string) []int {
	var pids []int
	for line := range strings.Lines(table) {
		pid, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(pid); err == nil && strings.Contains(args, what) {
			pids = append(pids, n)
		}
	}
	return pids
}

// agent is the process inside that serves the session.
func (b *bench) agent(ctx context.Context) ([]int, error) {
	return processes(ctx, b.session.Container, "/opt/sketch-ide/bin/sketch-ide agent")
}
