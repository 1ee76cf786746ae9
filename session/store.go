package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Store is the small state directory: what the engine's labels cannot hold (keys, remembered host ports). Everything in it can be lost
// without losing work: the container keeps that, and prune finds it by its labels. (What a large repository's session is based on is then in the repository itself.)
//
//	id                             who we are to an engine that others use too
//	sessions/<name>/record.json    the session (0600)
//	sessions/<name>/client_key     the client's private key, for OpenSSH (0600)
//	sessions/<name>/known_hosts    the server's public key, pinned
//	sessions/<name>/ssh_config     what `sketch-ide ssh` hands to OpenSSH
//	sessions/<name>/forwards.json  what the owner forwards, for followers, `ports`, and the next owner
//	sessions/<name>/branch.json    the branch that its commits come back as
//	sessions/<name>/stopped        that its container was stopped on purpose
//	sessions/<name>/objects/       copies of the repository's packs, where it is large: the container sees them, read-only
//	sessions/<name>/owner.lock     flock: held by the owner for as long as it lives
//	ssh_config                     the entries of all sessions, for the user's own configuration to include
//	ssh.lock                       flock: held while that or the user's configuration is changed
//	ssh-asked                      that the user was asked once whether to include it
//	folders/<hash>.lock            flock: held while a session of that folder is being started
type Store struct {
	dir string
	id  string // random, made with the directory: what the containers of its sessions are labelled with
}

// OpenStore opens the state directory dir, making it (0700) where it is missing.
func OpenStore(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, &StateDirError{Dir: dir, Err: err}
	}
	if err := checkPrivate(dir); err != nil {
		return nil, &StateDirError{Dir: dir, Err: err}
	}
	for _, d := range []string{dir, filepath.Join(dir, "sessions"), filepath.Join(dir, "folders")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, &StateDirError{Dir: dir, Err: err}
		}
	}
	id, err := readID(dir)
	if err != nil {
		return nil, &StateDirError{Dir: dir, Err: err}
	}
	return &Store{dir: dir, id: id}, nil
}

// ID is the directory's identity: what is made for it on an engine that others use too is labelled with it.
func (s *Store) ID() string { return s.id }

// checkPrivate refuses a directory in which others could have put keys and an ssh_config of theirs, and closes one that they could only read. One that
// is not there yet is fine.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return errors.New("it is not a directory")
	case ok && stat.Uid != uint32(os.Geteuid()):
		return errors.New("it belongs to another user")
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others may write in it (mode %#o, want 0700)", info.Mode().Perm())
	case info.Mode().Perm()&0o055 != 0:
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// readID reads the directory's identity, making it where there is none. Two processes that make it at once agree on one.
func readID(dir string) (string, error) {
	path := filepath.Join(dir, "id")
	fresh, err := os.CreateTemp(dir, ".id-")
	if err != nil {
		return "", err
	}
	_, err = fresh.WriteString(rand.Text())
	err = errors.Join(err, fresh.Close())
	if err == nil {
		// A link that fails because there is one already is how the second process finds out.
		if err = os.Link(fresh.Name(), path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err = errors.Join(err, os.Remove(fresh.Name())); err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return "", fmt.Errorf("read identity: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return string(data), nil
}

// DefaultStateDir is $XDG_STATE_HOME/sketch-ide, or ~/.local/state/sketch-ide (XDG Base Directory Specification).
func DefaultStateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "sketch-ide"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find home directory: %w", err)
	}
	return filepath.Join(home, ".local", "state", "sketch-ide"), nil
}

// record is what one session's record.json holds.
type record struct {
	Name       string    `json:"name"`
	Folder     string    `json:"folder"`    // the host repository's root
	Container  string    `json:"container"` // the engine's id; empty until created
	Engine     string    `json:"engine"`    // the engine's address
	Image      string    `json:"image"`
	User       string    `json:"user"`
	Workspace  string    `json:"workspace"` // the repository's path inside
	Branch     string    `json:"branch"`
	Commit     string    `json:"commit"`
	BaseBranch string    `json:"baseBranch,omitempty"` // that was checked out on the host then
	Created    time.Time `json:"created"`
	Ready      bool      `json:"ready"`   // the repository is inside; until then a crash may have left it half made
	HostKey    string    `json:"hostKey"` // the server's public key, an authorized_keys line
	Client     keyPair   `json:"client"`
}

func (s *Store) path(name string, file ...string) string {
	return filepath.Join(append([]string{s.dir, "sessions", name}, file...)...)
}

// Exists tells whether the state directory knows a session of that name.
func (s *Store) Exists(name string) bool {
	_, err := os.Stat(s.path(name))
	return err == nil
}

// Names lists the sessions that the state directory knows, whether or not their containers are there.
func (s *Store) Names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "sessions"))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && ValidName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// reserve makes the session's directory and so takes its name; errors.Is(err, fs.ErrExist) when it is taken.
func (s *Store) reserve(name string) error {
	if err := os.Mkdir(s.path(name), 0o700); err != nil {
		return fmt.Errorf("reserve session name: %w", err)
	}
	return nil
}

// age is how long ago the session's folder was made; unknown counts as old.
func (s *Store) age(name string) time.Duration {
	info, err := os.Stat(s.path(name))
	if err != nil {
		return 1 << 62
	}
	return time.Since(info.ModTime())
}

func (s *Store) save(r record) error {
	return writeJSON("session record", s.path(r.Name, "record.json"), r, durable)
}

func (s *Store) load(name string) (record, error) {
	if !ValidName(name) {
		return record{}, &NotFoundError{Name: name}
	}
	data, err := os.ReadFile(s.path(name, "record.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, &KeysLostError{Name: name, Err: err}
	}
	if err != nil {
		return record{}, fmt.Errorf("read session record: %w", err)
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, &KeysLostError{Name: name, Err: err}
	}
	return r, nil
}

// Remove forgets the session. It removes only the session's own directory, and its entry for OpenSSH.
func (s *Store) Remove(ctx context.Context, name string) error {
	if !ValidName(name) {
		return &NotFoundError{Name: name}
	}
	if err := os.RemoveAll(s.path(name)); err != nil {
		return fmt.Errorf("remove session state: %w", err)
	}
	return s.writeHosts(ctx)
}

// durability is what of a written file survives a power cut.
type durability bool

const (
	durable  durability = true  // the file, whole
	volatile durability = false // the old file or the new one, or an empty one: for what is written often and can be lost
)

// readJSON reads a file of the state directory that holds what is named so; the zero value where there is none.
func readJSON[T any](what, path string) (content T, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return content, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &content)
	}
	if err != nil {
		var none T // and not the half of it that could be read
		return none, fmt.Errorf("read %s: %w", what, err)
	}
	return content, nil
}

// writeJSON writes such a file, as writeFile does.
func writeJSON(what, path string, content any, d durability) error {
	data, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", what, err)
	}
	return writeFile(path, append(data, '\n'), d)
}

// writeFile replaces path (0600) in one step: a reader, a killed process or a full disk sees the old content or the new, never half of it.
func writeFile(path string, data []byte, d durability) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = tmp.Write(data)
	if d == durable {
		err = errors.Join(err, tmp.Sync())
	}
	err = errors.Join(err, tmp.Close()) // CreateTemp made it 0600
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(tmp.Name()))
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
