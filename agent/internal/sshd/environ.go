//go:build linux

package sshd

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Limits of what a client may add to the environment of one session.
const (
	maxVariables = 128
	maxName      = 256
	maxValue     = 32 << 10
)

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	errVariable  = errors.New("malformed variable")
	errVariables = errors.New("too many variables")
)

// environ is an environment under construction: later settings win.
type environ map[string]string

func inherited(env []string) environ {
	e := make(environ, len(env))
	for _, entry := range env {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			e[name] = value
		}
	}
	return e
}

// accept adds a variable that a client sent (RFC 4254 §6.4).
func (e environ) accept(name, value string) error {
	if len(name) > maxName || len(value) > maxValue || !variableName.MatchString(name) || strings.IndexByte(value, 0) >= 0 {
		return fmt.Errorf("%w: %q", errVariable, clip(name))
	}
	if _, known := e[name]; !known && len(e) >= maxVariables {
		return errVariables
	}
	e[name] = value
	return nil
}

func (e environ) list() []string {
	list := make([]string, 0, len(e))
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name])
	}
	return list
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// pathVariable repeats the PATH of the image: the /etc/profile of many images overwrites PATH in login shells, and a file of
// ours in /etc/profile.d restores it from here.
const pathVariable = "SKETCH_PATH"

// environment returns what a session's process gets: the image's own environment, who and where it is, the configuration's variables,
// and what the client sent.
func (s *session) environment() environ {
	cfg := s.conn.server.cfg
	e := inherited(os.Environ())
	a := s.account
	e["HOME"], e["USER"], e["LOGNAME"], e["SHELL"] = a.home, a.name, a.name, a.shell
	e["SSH_CONNECTION"] = sshConnection(s.conn.conn)
	e["SSH_CLIENT"] = sshClient(s.conn.conn)
	if s.terminal != nil {
		e["TERM"], e["SSH_TTY"] = s.terminal.term, s.terminal.name
	} else {
		delete(e, "TERM")
	}
	maps.Copy(e, cfg.Env)
	maps.Copy(e, s.env)
	if e["PATH"] == "" {
		e["PATH"] = defaultPath
	}
	if cfg.BinDir != "" && !slices.Contains(strings.Split(e["PATH"], ":"), cfg.BinDir) {
		e["PATH"] += ":" + cfg.BinDir
	}
	e[pathVariable] = e["PATH"]
	return e
}

// sshConnection is the value of SSH_CONNECTION: the client's address and port, the server's address and port.
func sshConnection(conn ssh.ConnMetadata) string {
	return endpoint(conn.RemoteAddr()) + " " + endpoint(conn.LocalAddr())
}

func sshClient(conn ssh.ConnMetadata) string {
	_, port, _ := strings.Cut(endpoint(conn.LocalAddr()), " ")
	return endpoint(conn.RemoteAddr()) + " " + port
}

func endpoint(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "UNKNOWN 65535" // what sshd says of a connection that is no TCP connection
	}
	return host + " " + port
}
