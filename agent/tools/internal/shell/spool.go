package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Bounds of what is kept on disk.
const (
	maxSpoolBytes = 32 << 20 // of one output
	maxSpoolFiles = 16
)

// spool is the directory for long outputs. Its oldest files make room for new ones.
type spool struct {
	dir string // empty: none

	mu    sync.Mutex // guards what follows
	files []string
	last  int
}

// create returns a new file, or nil where there can be none: then long outputs are only cut.
func (s *spool) create() *spoolFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" || os.MkdirAll(s.dir, 0o700) != nil {
		return nil
	}
	s.last++
	name := filepath.Join(s.dir, fmt.Sprintf("output-%d.log", s.last))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil
	}
	if s.files = append(s.files, name); len(s.files) > maxSpoolFiles {
		os.Remove(s.files[0]) // one that cannot be removed is written over after a restart
		s.files = s.files[1:]
	}
	return &spoolFile{file: file, name: name, room: maxSpoolBytes}
}

// spoolFile is a file for one output. A nil one takes everything and keeps nothing.
type spoolFile struct {
	file   *os.File
	name   string
	room   int
	failed bool
}

func (f *spoolFile) write(p []byte) {
	if f == nil || f.failed || f.room == 0 {
		return
	}
	n := min(len(p), f.room)
	if _, err := f.file.Write(p[:n]); err != nil {
		f.failed = true // a full disk, say: what is in memory has to do
		f.close()
		os.Remove(f.name)
		return
	}
	f.room -= n
}

func (f *spoolFile) path() string {
	if f == nil || f.failed {
		return ""
	}
	return f.name
}

func (f *spoolFile) close() {
	if f != nil {
		f.file.Close()
	}
}
