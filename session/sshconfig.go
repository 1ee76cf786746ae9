package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sketch-ide/sketch-ide/sshconfig"
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

// hostsFile is the file that the user's configuration may include.
func (s *Store) hostsFile() string { return filepath.Join(s.dir, sshConfigFile) }

func (s *Store) lockSSH(ctx context.Context) (*fileLock, error) {
	return waitLock(ctx, filepath.Join(s.dir, "ssh.lock"))
}

// writeSSH writes what OpenSSH needs: the key, the pinned server key, and a Host block. The way in is `sketch-ide proxy`, which finds the
// container's address at each connection, since both its own address and its published port change when it restarts. What is right already is not
// written: resuming a session calls this too, because the program may have moved since, or a power cut have left a file empty.
func (s *Store) writeSSH(ctx context.Context, rec record, program string, forwardAgent bool) error {
	err := errors.Join(
		writeNew(s.path(rec.Name, "client_key"), []byte(rec.Client.Private)),
		writeNew(s.path(rec.Name, "known_hosts"), []byte(rec.Name+" "+rec.HostKey+"\n")),
		writeNew(s.path(rec.Name, sshConfigFile), []byte(s.sshHost(rec, program, forwardAgent).String())),
	)
	if err != nil {
		return err
	}
	return s.writeHosts(ctx)
}

func writeNew(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return writeFile(path, data, volatile)
}

func (s *Store) sshHost(rec record, program string, forwardAgent bool) sshconfig.Host {
	proxy := []string{program, "proxy", "--state-dir", s.dir}
	if rec.Engine != "" { // a terminal has another DOCKER_HOST than the editor, perhaps
		proxy = append(proxy, "--host", rec.Engine)
	}
	return sshconfig.Host{
		Name: rec.Name, User: rec.User, KnownHosts: s.path(rec.Name, "known_hosts"), Identity: s.path(rec.Name, "client_key"),
		Proxy: append(proxy, rec.Name), ForwardAgent: forwardAgent,
	}
}

// hostsHeader begins the file of all entries.
const hostsHeader = "# The sessions of sketch-ide, which writes this file anew as they come and go.\n"

// writeHosts writes the file of all sessions' entries anew, from what is there, so that it need not be known what has changed.
func (s *Store) writeHosts(ctx context.Context) (err error) {
	lock, err := s.lockSSH(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	names, err := s.Names()
	if err != nil {
		return err
	}
	hosts := []byte(hostsHeader)
	for _, name := range names {
		entry, err := os.ReadFile(s.path(name, sshConfigFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue // its start is under way, or its end
		}
		if err != nil {
			return fmt.Errorf("read entry of %s: %w", name, err)
		}
		hosts = append(append(hosts, '\n'), entry...)
	}
	return writeNew(s.hostsFile(), hosts)
}

// SSHInclude looks whether the user's SSH configuration includes the file with all sessions, or changes that; an empty file means the one that ssh(1) reads.
// The error is a *sshconfig.Error.
func (s *Store) SSHInclude(ctx context.Context, file string, do func(sshconfig.User) (sshconfig.Status, error)) (_ sshconfig.Status, err error) {
	if file == "" {
		if file, err = sshconfig.DefaultFile(); err != nil {
			return sshconfig.Status{}, err
		}
	}
	if file, err = filepath.Abs(file); err != nil {
		return sshconfig.Status{}, fmt.Errorf("find SSH configuration: %w", err)
	}
	if err := s.writeHosts(ctx); err != nil { // an Include of a file that is not there is ignored, but entries of older sessions may be missing in it
		return sshconfig.Status{}, err
	}
	lock, err := s.lockSSH(ctx)
	if err != nil {
		return sshconfig.Status{}, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	return do(sshconfig.User{File: file, Ours: s.hostsFile()})
}

// FirstTime reports whether the one question about the SSH configuration has never been asked, and takes note that it is now.
func (s *Store) FirstTime() (bool, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "ssh-asked"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("note that the question was asked: %w", err)
	}
	return true, f.Close()
}

// rewriteTimeout bounds the wait for another process that writes entries.
const rewriteTimeout = 5 * time.Second

// rewriteSSH brings the entries of running sessions up to date with the setting. Connections that are there already keep what they have.
func (s *Supervisor) rewriteSSH(running []*Session) {
	ctx, cancel := context.WithTimeout(context.Background(), rewriteTimeout)
	defer cancel()
	for _, x := range running {
		if err := s.writeSSH(ctx, x.rec); err != nil {
			x.problem(fmt.Errorf("change the SSH configuration of %s to what forwardAgent says: %w", x.rec.Name, err))
		}
	}
}

// writeSSH writes the session's entry as this program and the settings are now.
func (s *Supervisor) writeSSH(ctx context.Context, rec record) error {
	program := s.cfg.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("find own executable: %w", err)
		}
	}
	return s.cfg.Store.writeSSH(ctx, rec, program, s.currentSettings().ForwardAgent)
}
