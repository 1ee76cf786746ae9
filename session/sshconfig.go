package session

import (
	"fmt"
	"os"
	"strings"
)

// SSHFiles are the paths that OpenSSH needs to enter a session.
type SSHFiles struct {
	Config string // an ssh_config(5) file with one Host, the session's name
	Alias  string // that name
}

// SSH returns the session's files for OpenSSH.
func (s *Store) SSH(name string) (SSHFiles, error) {
	if _, err := s.load(name); err != nil {
		return SSHFiles{}, err
	}
	return SSHFiles{Config: s.path(name, sshConfigFile), Alias: name}, nil
}

const sshConfigFile = "ssh_config"

// writeSSH writes what OpenSSH needs: the key, the pinned server key, and a Host block. The way in is `sketch-ide proxy`, which finds the
// container's address at each connection, since both its own address and its published port change when it restarts.
func (s *Store) writeSSH(rec record) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own executable: %w", err)
	}
	if err := writeFile(s.path(rec.Name, "client_key"), []byte(rec.Client.Private), durable); err != nil {
		return err
	}
	if err := writeFile(s.path(rec.Name, "known_hosts"), []byte(rec.Name+" "+rec.HostKey+"\n"), durable); err != nil {
		return err
	}
	return writeFile(s.path(rec.Name, sshConfigFile), []byte(s.sshConfig(rec, program)), durable)
}

func (s *Store) sshConfig(rec record, program string) string {
	proxy := fmt.Sprintf("%s proxy --state-dir %s %s", shellQuote(program), shellQuote(s.dir), rec.Name)
	lines := []string{
		"Host " + rec.Name,
		"  User " + configQuote(rec.User),
		"  HostKeyAlias " + rec.Name,
		"  UserKnownHostsFile " + configQuote(s.path(rec.Name, "known_hosts")),
		"  GlobalKnownHostsFile /dev/null",
		"  StrictHostKeyChecking yes",
		"  UpdateHostKeys no",
		"  IdentityFile " + configQuote(s.path(rec.Name, "client_key")),
		"  IdentitiesOnly yes",
		"  IdentityAgent none",
		"  PreferredAuthentications publickey",
		"  ForwardAgent no",
		"  ForwardX11 no",
		"  ServerAliveInterval 5",
		"  ServerAliveCountMax 3",
		"  LogLevel ERROR",
		"  ProxyCommand " + strings.ReplaceAll(proxy, "%", "%%"),
	}
	return strings.Join(lines, "\n") + "\n"
}

// configQuote makes one argument of s for ssh_config(5), which knows double quotes and expands % in paths.
func configQuote(s string) string { return `"` + strings.ReplaceAll(s, "%", "%%") + `"` }

// shellQuote makes one word of s for the shell that OpenSSH runs ProxyCommand with.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
