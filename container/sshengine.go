package container

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// sshTarget is an engine behind SSH: ssh://[user@]host[:port][/path of its socket]. What is said to it goes through the
// user's own OpenSSH, with its configuration, keys and known hosts, to the docker command there.
type sshTarget struct{ user, host, port, socket string }

// regexpHost bounds what becomes a word of a command line. OpenSSH's own aliases may have any of these.
var regexpHost = regexp.MustCompile(`^[A-Za-z0-9_.:%-]+$`)

func parseSSHTarget(host string) (sshTarget, error) {
	u, err := url.Parse(host)
	if err != nil {
		return sshTarget{}, err
	}
	t := sshTarget{user: u.User.Username(), host: u.Hostname(), port: u.Port(), socket: u.Path}
	if _, password := u.User.Password(); password {
		return sshTarget{}, fmt.Errorf("a password cannot stand in it; use keys")
	}
	switch {
	case !regexpHost.MatchString(t.host) || strings.HasPrefix(t.host, "-"):
		return sshTarget{}, fmt.Errorf("it has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return sshTarget{}, fmt.Errorf("it has more than a host, a port and a path")
	case t.user != "" && !regexpHost.MatchString(t.user):
		return sshTarget{}, fmt.Errorf("%q is no user", t.user)
	}
	if t.socket == "/" {
		t.socket = ""
	}
	if t.socket != path.Clean(t.socket) && t.socket != "" {
		return sshTarget{}, fmt.Errorf("%q is no path of a socket", t.socket)
	}
	return t, nil
}

// arguments are those of the ssh command. Nothing can be asked of the user: there may be no terminal, or an editor that
// speaks on it.
func (t sshTarget) arguments() []string {
	args := []string{"-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15"}
	if t.user != "" {
		args = append(args, "-l", t.user)
	}
	if t.port != "" {
		args = append(args, "-p", t.port)
	}
	command := "docker system dial-stdio"
	if t.socket != "" {
		command = "docker -H " + quote("unix://"+t.socket) + " system dial-stdio"
	}
	return append(args, "--", t.host, command)
}

func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// SSHError is the end of the ssh command before anything came through it.
type SSHError struct {
	Host   string
	Reason string // its last words
}

func (e *SSHError) Error() string { return "ssh to " + e.Host + ": " + e.Reason }

// dial starts a connection to the engine. Whether it leads anywhere shows with the first answer.
func (t sshTarget) dial(ctx context.Context) (*commandConn, error) {
	conn, err := startCommand(ctx, "ssh", t.arguments())
	if err != nil {
		return nil, &SSHError{Host: t.host, Reason: err.Error()}
	}
	conn.explain = func(words string) error {
		if words == "" {
			words = "it ended without a word"
		}
		return &SSHError{Host: t.host, Reason: words}
	}
	return conn, nil
}
