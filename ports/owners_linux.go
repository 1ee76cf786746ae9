package ports

import (
	"bytes"
	"cmp"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of one walk; what lies beyond stays unknown.
const (
	maxProcesses = 8192
	maxTasks     = 64   // threads of a process asked for its children
	maxFiles     = 4096 // descriptors of a process looked at
	maxChildren  = 64 << 10
	maxEnviron   = 256 << 10
	maxAncestors = 16
)

// procOwners reads /proc/PID/fd. That is permitted for processes of the same user only,
// unless we may trace others; whatever is refused is skipped.
type procOwners struct {
	root string // "/proc"
	self int
}

var _ owners = procOwners{}

// ours asks for the inode of each own descriptor by fstat, much cheaper than reading
// the links: the agent holds a socket for each forwarded connection.
func (p procOwners) ours() map[uint32]bool {
	inodes := make(map[uint32]bool)
	for name := range p.list("self/fd", maxFiles) {
		var st unix.Stat_t
		fd, err := strconv.Atoi(name)
		if err == nil && unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK {
			inodes[uint32(st.Ino)] = true
		}
	}
	return inodes
}

func (p procOwners) find(inodes []uint32, deadline time.Time) (found map[uint32]process, complete bool) {
	found = make(map[uint32]process)
	missing := make(map[uint32]bool, len(inodes))
	for _, inode := range inodes {
		missing[inode] = true
	}
	for pid := range p.candidates(deadline) {
		if len(missing) == 0 {
			return found, true
		}
		if time.Now().After(deadline) {
			return found, false
		}
		for fd, inode := range p.sockets(pid) {
			if missing[inode] {
				delete(missing, inode)
				holder, fd := p.firstHolder(pid, fd, inode, deadline)
				found[inode] = p.describe(holder, fd)
			}
		}
	}
	return found, true
}

// candidates yields the processes in the order in which they are likely to be the one:
// our descendants, then all others, both youngest first. Ourselves are left out.
func (p procOwners) candidates(deadline time.Time) iter.Seq[int] {
	return func(yield func(int) bool) {
		seen := map[int]bool{p.self: true}
		for _, list := range []func(time.Time) []int{p.descendants, p.all} {
			pids := list(deadline)
			slices.SortFunc(pids, func(a, b int) int { return cmp.Compare(b, a) })
			for _, pid := range pids {
				if !seen[pid] && !yield(pid) {
					return
				}
				seen[pid] = true
			}
		}
	}
}

// descendants walks down the children files until the deadline. Some kernels lack them:
// then there are none.
func (p procOwners) descendants(deadline time.Time) []int {
	var all []int
	for queue := []int{p.self}; len(queue) > 0 && len(all) < maxProcesses; queue = queue[1:] {
		pid := strconv.Itoa(queue[0])
		for task := range p.list(pid+"/task", maxTasks) {
			children := p.read(filepath.Join(pid, "task", task, "children"), maxChildren)
			for field := range strings.FieldsSeq(children) {
				if child, err := strconv.Atoi(field); err == nil {
					all = append(all, child)
					queue = append(queue, child)
				}
			}
		}
		if time.Now().After(deadline) {
			break
		}
	}
	return all
}

func (p procOwners) all(time.Time) []int {
	var all []int
	for name := range p.list(".", maxProcesses) {
		if pid, err := strconv.Atoi(name); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// sockets yields the sockets that a process holds: the descriptor's name under /proc, and the inode.
func (p procOwners) sockets(pid int) iter.Seq2[string, uint32] {
	return func(yield func(string, uint32) bool) {
		dir := strconv.Itoa(pid) + "/fd"
		for name := range p.list(dir, maxFiles) {
			fd := dir + "/" + name
			if inode, ok := p.socketAt(fd); ok && !yield(fd, inode) {
				return
			}
		}
	}
}

// socketAt is the inode of the socket at a descriptor.
func (p procOwners) socketAt(fd string) (uint32, bool) {
	link, err := os.Readlink(filepath.Join(p.root, fd))
	if err != nil {
		return 0, false
	}
	number, ok := strings.CutPrefix(link, "socket:[")
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32)
	return uint32(inode), err == nil
}

func (p procOwners) holds(holder process, inode uint32) bool {
	held, ok := p.socketAt(holder.seenAt)
	return ok && held == inode
}

// firstHolder climbs from a process that holds a socket to the one that it inherited it
// from, so that a server with workers goes by its main process.
func (p procOwners) firstHolder(pid int, fd string, inode uint32, deadline time.Time) (int, string) {
	for range maxAncestors {
		if time.Now().After(deadline) {
			break
		}
		parent := p.parent(pid)
		if parent <= 1 || parent == p.self {
			break
		}
		at, ok := p.descriptor(parent, inode)
		if !ok {
			break
		}
		pid, fd = parent, at
	}
	return pid, fd
}

// descriptor finds a socket among those of a process.
func (p procOwners) descriptor(pid int, inode uint32) (fd string, ok bool) {
	for fd, held := range p.sockets(pid) {
		if held == inode {
			return fd, true
		}
	}
	return "", false
}

// parent reads the fourth field of /proc/PID/stat; the second, the name, may hold anything.
func (p procOwners) parent(pid int) int {
	stat := p.read(strconv.Itoa(pid)+"/stat", 4<<10)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1]) // unreadable counts as none
	return parent
}

func (p procOwners) describe(pid int, seenAt string) process {
	dir := strconv.Itoa(pid)
	cmdline := p.read(dir+"/cmdline", maxCommand)
	arg0, _, _ := strings.Cut(cmdline, "\x00")
	comm := strings.TrimSuffix(p.read(dir+"/comm", maxProcess), "\n")
	environ := bytes.Split([]byte(p.read(dir+"/environ", maxEnviron)), []byte{0})
	return process{
		pid:     pid,
		name:    shortName(comm, arg0),
		command: clean(cmdline, maxCommand),
		ignore:  slices.ContainsFunc(environ, func(kv []byte) bool { return string(kv) == ignoreVariable }),
		seenAt:  seenAt,
	}
}

// read returns at most limit bytes of a file, nothing where it cannot be read.
func (p procOwners) read(name string, limit int64) string {
	f, err := os.Open(filepath.Join(p.root, name))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, limit)) // the process may end meanwhile
	return string(b)
}

// list yields at most limit names of a directory, none where it cannot be read.
func (p procOwners) list(name string, limit int) iter.Seq[string] {
	return func(yield func(string) bool) {
		f, err := os.Open(filepath.Join(p.root, name))
		if err != nil {
			return
		}
		defer f.Close()
		names, _ := f.Readdirnames(limit) // the process may end meanwhile
		for _, name := range names {
			if !yield(name) {
				return
			}
		}
	}
}
