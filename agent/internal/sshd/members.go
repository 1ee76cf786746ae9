//go:build linux

package sshd

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sessionMembers returns the processes of the session that leader leads and that are attached to it, the leader first. Zombies do not count.
//
// Detached are those that said that they want to stay: by a session of their own (setsid, daemons), by ignoring SIGHUP (nohup), or by
// giving up all three standard streams, as "server </dev/null >log 2>&1 &" does. The last rule is what keeps a VS Code server:
// Node undoes what nohup did.
//
// The streams are those that the leader was started with.
func sessionMembers(leader int, streams []os.FileInfo) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var members []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == leader || !inSession(pid, leader) {
			continue
		}
		if !ignoresHangup(pid) && sharesStream(pid, streams) {
			members = append(members, pid)
		}
	}
	if inSession(leader, leader) {
		members = append([]int{leader}, members...)
	}
	return members
}

// inSession reports whether a process is alive and in the session.
func inSession(pid, session int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	state, sid, ok := parseStat(data)
	return ok && sid == session && state != 'Z' && state != 'X'
}

// parseStat returns the state and the session of proc_pid_stat(5). The name before them may contain anything, parentheses too.
func parseStat(data []byte) (state byte, session int, ok bool) {
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 4 || len(fields[0]) != 1 {
		return 0, 0, false
	}
	session, err := strconv.Atoi(fields[3]) // state, ppid, pgrp, session
	return fields[0][0], session, err == nil
}

// ignoresHangup reports whether a process ignores SIGHUP.
func ignoresHangup(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	return err == nil && parseIgnoresHangup(string(data))
}

func parseIgnoresHangup(status string) bool {
	for line := range strings.Lines(status) {
		if mask, ok := strings.CutPrefix(line, "SigIgn:"); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return err == nil && bits&1 != 0 // bit 0 is signal 1, SIGHUP
		}
	}
	return false
}

// sharesStream reports whether one of a process's standard streams is one of these. A process that does not let us look is taken to share.
func sharesStream(pid int, streams []os.FileInfo) bool {
	for _, fd := range []string{"0", "1", "2"} {
		info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "fd", fd))
		if errors.Is(err, fs.ErrPermission) {
			return true
		}
		if err == nil && slices.ContainsFunc(streams, func(s os.FileInfo) bool { return os.SameFile(s, info) }) {
			return true
		}
	}
	return false
}
