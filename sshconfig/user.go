package sshconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
)

// User is the user's own configuration and the file of ours that it may include.
type User struct {
	File string // the user's, usually [DefaultFile]
	Ours string // absolute path of our file
}

// Status is how the user's configuration stands.
type Status struct {
	Installed bool   // it includes our file for every host
	File      string // the user's file
	Line      string // the line that does
	Changed   bool   // the file was changed just now
}

// Error says that the user's configuration could not be read or changed. It is as it was.
type Error struct {
	File string
	Line string // what was to be in it, or to be gone
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("change %s: %v", e.File, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// DefaultFile is the file that ssh(1) reads. That looks in the account's home directory, whatever HOME says.
func DefaultFile() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("find home directory: %w", err)
	}
	return filepath.Join(u.HomeDir, ".ssh", "config"), nil
}

// Status looks.
func (u User) Status() (Status, error) {
	return u.edit(func(config []byte, _ []line) ([]byte, error) { return config, nil })
}

// Install sees to it that the line is there, before everything else.
func (u User) Install() (Status, error) {
	if err := CheckPath(u.Ours); err != nil {
		return Status{}, u.fail(fmt.Errorf("OpenSSH cannot include %s: %w", u.Ours, err))
	}
	return u.edit(func(config []byte, found []line) ([]byte, error) {
		var idle []line
		for _, l := range found {
			if l.always {
				return config, nil
			}
			if l.alone {
				idle = append(idle, l)
			}
		}
		return withInclude(without(config, idle), u.Ours), nil
	})
}

// Remove sees to it that no line includes our file.
func (u User) Remove() (Status, error) {
	return u.edit(func(config []byte, found []line) ([]byte, error) {
		for _, l := range found {
			if !l.alone {
				return nil, fmt.Errorf("line %d includes other files beside %s", l.number, u.Ours)
			}
		}
		return without(config, found), nil
	})
}

func (u User) fail(err error) error { return &Error{File: u.File, Line: statement(u.Ours), Err: err} }

// edit reads the file, has it changed, and replaces it if it was.
func (u User) edit(change func(config []byte, found []line) ([]byte, error)) (Status, error) {
	target, err := followed(u.File)
	if err != nil {
		return Status{}, u.fail(err)
	}
	config, info, err := read(target)
	if err != nil {
		return Status{}, u.fail(err)
	}
	dir := filepath.Dir(u.File)
	find := func(config []byte) []line { return includes(config, u.Ours, filepath.Dir(dir), dir) }
	edited, err := change(config, find(config))
	if err != nil {
		return Status{}, u.fail(err)
	}
	status := Status{File: u.File, Line: statement(u.Ours)}
	if status.Changed = !bytes.Equal(edited, config); status.Changed {
		if info != nil && info.Mode().Perm()&0o200 == 0 {
			return Status{}, u.fail(errors.New("it is read-only"))
		}
		if err := replace(target, config, edited, info); err != nil {
			return Status{}, u.fail(err)
		}
	}
	for _, l := range find(edited) {
		status.Installed = status.Installed || l.always
	}
	return status, nil
}

const maxLinks = 40 // as the kernel

// followed is the file that path means: people keep their configuration elsewhere and link to it, also to what is not there yet.
func followed(path string) (string, error) {
	for range maxLinks {
		to, err := os.Readlink(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EINVAL) { // EINVAL: it is no link
			return path, nil
		}
		if err != nil {
			return "", plain(err)
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", syscall.ELOOP
}

// plain drops from err the name of the file, which whoever reports it gives.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

const maxConfig = 1 << 20

// read returns nothing for a file that is not there.
func read(path string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path) // before it is opened: that could wait for ever on a named pipe
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, plain(err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, plain(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	switch {
	case err != nil:
		return nil, nil, plain(err)
	case len(data) > maxConfig:
		return nil, nil, errors.New("it is larger than 1 MiB")
	case bytes.IndexByte(data, 0) >= 0:
		return nil, nil, errors.New("it is not text")
	}
	return data, info, nil
}
