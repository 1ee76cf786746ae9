//go:build linux

package sshd

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// account is the user that the process runs as, as far as sessions need it.
type account struct {
	name, home, shell string
}

// passwdEntry is what /etc/passwd says of a user.
type passwdEntry struct {
	name, home, shell string
}

// maxPasswdLines bounds the search; the file is the image's.
const maxPasswdLines = 100_000

// currentAccount looks the user up anew for each session: a session may have changed the login shell, or added the user.
func currentAccount(fallbackName string) account {
	var entry passwdEntry
	if file, err := os.Open("/etc/passwd"); err == nil {
		entry, _ = findPasswd(file, os.Getuid()) // resolveAccount bears with none
		file.Close()
	}
	return resolveAccount(entry, fallbackName, os.Getenv, isExecutable)
}

// findPasswd returns the entry of passwd(5) for a user id. NSS is not asked: a static program cannot, and images have no directory service.
func findPasswd(r io.Reader, uid int) (passwdEntry, bool) {
	scanner := bufio.NewScanner(r)
	for lines := 0; lines < maxPasswdLines && scanner.Scan(); lines++ {
		fields := strings.Split(scanner.Text(), ":")
		if len(fields) == 7 && fields[2] == strconv.Itoa(uid) {
			return passwdEntry{name: fields[0], home: fields[5], shell: fields[6]}, true
		}
	}
	return passwdEntry{}, false
}

// resolveAccount fills in what passwd does not say. An image may run as a user id that has no entry, and may have no shell but sh.
func resolveAccount(entry passwdEntry, fallbackName string, getenv func(string) string, executable func(string) bool) account {
	a := account{name: entry.name, home: entry.home, shell: "/bin/sh"}
	if a.name == "" {
		a.name = fallbackName
	}
	if a.home == "" {
		a.home = getenv("HOME")
	}
	if !filepath.IsAbs(a.home) {
		a.home = "/"
	}
	for _, shell := range []string{entry.shell, getenv("SHELL"), "/bin/bash", "/bin/sh"} {
		if filepath.IsAbs(shell) && !refusesLogin(shell) && executable(shell) {
			a.shell = shell
			break
		}
	}
	return a
}

// refusesLogin reports whether a program is a way to say that an account has no shell. Whoever holds the session's key may use
// the image's user all the same: there is no other.
func refusesLogin(shell string) bool {
	switch filepath.Base(shell) {
	case "nologin", "false", "true", "sync", "halt", "shutdown":
		return true
	}
	return false
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// directory returns where a session starts.
func directory(workspace, home string) string {
	for _, dir := range []string{workspace, home} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	return "/"
}
