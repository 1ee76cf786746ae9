package shell

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const readable = unix.TIOCINQ // the request that tells how many bytes wait

// members returns the processes that belong to the command: those in the shell's session while the shell lives (afterwards that number may
// be somebody else's), and those that hold its output as a standard stream. What has a session and streams of its own has left on purpose.
func (p *process) members() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	self, leader, led := os.Getpid(), p.cmd.Process.Pid, p.shellAlive()
	var members []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == self || pid == leader {
			continue
		}
		state, session, ok := stat(pid)
		if !ok || state == 'Z' || state == 'X' {
			continue
		}
		if led && session == leader || p.holdsOutput(pid) {
			members = append(members, pid)
		}
	}
	return members
}

// stat returns the state and the session of a process.
func stat(pid int) (state byte, session int, ok bool) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0, false
	}
	return parseStat(data)
}

// parseStat reads proc_pid_stat(5). The name before the fields may contain anything, parentheses too.
func parseStat(data []byte) (state byte, session int, ok bool) {
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 4 || len(fields[0]) != 1 {
		return 0, 0, false
	}
	session, err := strconv.Atoi(fields[3]) // state, ppid, pgrp, session
	return fields[0][0], session, err == nil
}

func (p *process) holdsOutput(pid int) bool {
	for _, fd := range []string{"1", "2"} {
		info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "fd", fd))
		if err == nil && os.SameFile(p.stream, info) {
			return true
		}
	}
	return false
}
