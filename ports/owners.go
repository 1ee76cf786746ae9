package ports

import (
	"path"
	"strings"
	"time"
	"unicode"
)

// A process is what is known of the holder of a socket.
type process struct {
	pid     int
	name    string
	command string
	ignore  bool // it asked for that, by ignoreVariable

	seenAt string // the descriptor through which it was seen to hold the socket
}

// same compares what is told of processes.
func (p process) same(q process) bool {
	return p.pid == q.pid && p.name == q.name && p.command == q.command
}

// ignoreVariable in the environment of a process keeps its ports out of everything.
const ignoreVariable = "SKETCH_IGNORE_PORTS=1"

// owners finds out who holds a socket, which the socket table does not tell. Safe for
// concurrent use.
type owners interface {
	// ours returns the inodes of this process's own sockets.
	ours() map[uint32]bool
	// find looks for the holders of inodes until the deadline, and says whether it
	// looked everywhere. What it cannot see or tell is missing from the result.
	find(inodes []uint32, deadline time.Time) (found map[uint32]process, complete bool)
	// holds says whether p, which find has returned, still holds the socket where it was seen.
	holds(p process, inode uint32) bool
}

// shortName chooses between the kernel's name of a process's main thread, which ends after
// 15 bytes, and the first argument, which programs overwrite with status texts. The
// argument counts where it merely completes the name, or where the name is that of a
// thread, as in current versions of Node.
func shortName(comm, arg0 string) string {
	base := path.Base(arg0)
	cut := len(comm) == 15 && strings.HasPrefix(base, comm)
	thread := strings.HasSuffix(comm, "MainThread")
	if arg0 != "" && !strings.Contains(base, " ") && (cut || thread) {
		return clean(base, maxProcess)
	}
	return clean(comm, maxProcess)
}

// clean makes text of a process fit to be shown: valid UTF-8 in one line, without anything
// that a terminal obeys, cut at limit bytes.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s[:min(len(s), limit)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, s))
}
