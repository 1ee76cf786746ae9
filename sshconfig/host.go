package sshconfig

import (
	"fmt"
	"strings"
)

// Host is the entry of one session. All paths are absolute.
type Host struct {
	Name         string // the alias, and the name that the server's key is pinned to
	User         string
	KnownHosts   string   // file with the server's key under Name
	Identity     string   // file with the client's key
	Proxy        []string // the command whose standard streams are the connection
	ForwardAgent bool     // whether processes inside may use the keys in the user's ssh-agent
}

// String is the entry as ssh_config(5) wants it. It says everything that decides who is talked to and what is handed over, so that no `Host *` of the
// user's changes that: OpenSSH takes the first value that it finds.
func (h Host) String() string {
	words := make([]string, len(h.Proxy))
	for i, w := range h.Proxy {
		words[i] = shellQuote(oneLine(w))
	}
	lines := []string{
		"Host " + oneWord(h.Name),
		"  User " + quote(h.User),
		"  HostKeyAlias " + oneWord(h.Name),
		"  UserKnownHostsFile " + quote(h.KnownHosts),
		"  GlobalKnownHostsFile /dev/null",
		"  StrictHostKeyChecking yes",
		"  UpdateHostKeys no",
		"  IdentityFile " + quote(h.Identity),
		"  IdentitiesOnly yes",
		"  AddKeysToAgent no",
		"  PreferredAuthentications publickey",
		"  ForwardX11 no",
		"  ServerAliveInterval 5",
		"  ServerAliveCountMax 3",
		"  LogLevel ERROR",
		"  ProxyCommand " + strings.ReplaceAll(strings.Join(words, " "), "%", "%%"),
	}
	if h.ForwardAgent {
		lines = append(lines, "  ForwardAgent yes")
	} else {
		// Without an agent to ask, `ssh -A` and a ForwardAgent of the user's hand nothing over either.
		lines = append(lines, "  ForwardAgent no", "  IdentityAgent none")
	}
	return strings.Join(lines, "\n") + "\n"
}

// quote makes one argument of s for ssh_config(5), which knows double quotes and expands % in paths. It has no escape for what would end the argument
// or the line, so that such characters are left out: whatever has them names nothing that exists, and the entry says nothing else.
func quote(s string) string { return `"` + strings.ReplaceAll(oneWord(s), "%", "%%") + `"` }

// oneWord is s without what ends an argument or a line.
func oneWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}

// oneLine is s without what ends a line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// shellQuote makes one word of s for the shell that OpenSSH runs ProxyCommand with.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// CheckPath says why OpenSSH could not be told to include a file of that path, whose wildcards and variables it expands.
func CheckPath(path string) error {
	if i := strings.IndexAny(path, "\"\\*?[]%$\r\n\t\x00"); i >= 0 {
		return fmt.Errorf("its path has the character %q", path[i])
	}
	return nil
}
