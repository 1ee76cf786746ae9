package ports

import (
	"context"
	"slices"
	"time"
)

const (
	// Owners are looked for before publication for this long at most, and for one
	// part in lookShare of the time since the last look.
	lookAtMost = 3 * time.Millisecond
	lookShare  = 10
	// nameAtMost bounds a look on the side.
	nameAtMost = 10 * time.Second
	// Owners are checked this often, and so many of them: one readlink each.
	verifyEvery  = time.Second
	verifyAtMost = 64
)

// findings are what a look on the side came to.
type findings struct {
	asked    []uint32
	owners   map[uint32]process
	complete bool
}

// admit decides about new sockets before they are published. Our own and the configured
// ones are settled exactly and for next to nothing. SKETCH_IGNORE_PORTS needs the owner,
// and a walk through /proc takes from 0.2 ms in a usual container to 65 ms among
// thousands of descriptors, so it gets a bounded time first: enough for descendants of
// ours, which come first, and which everything is that we could have given that
// variable to. That spares a port that is to be ignored from being opened at all, and lets
// nearly every event carry its name at once. Who is not found in time is published
// without a name and looked for on the side; should such a process turn out to be
// ignored, its ports are withdrawn by a closed event, so that opens and closes always
// come in pairs.
func (s *scanner) admit(fresh []*socket) {
	if len(fresh) == 0 {
		return
	}
	ours := s.owners.ours()
	var inodes []uint32
	for _, sock := range fresh {
		sock.ignored = s.cfg.Ignore(sock.Listener) || sock.Inode != 0 && ours[sock.Inode]
		if !sock.ignored && sock.Inode != 0 {
			inodes = append(inodes, sock.Inode)
		}
	}
	if len(inodes) > 0 {
		s.look(inodes)
	}
}

func (s *scanner) look(inodes []uint32) {
	now := time.Now()
	budget := min(lookAtMost, now.Sub(s.looked)/lookShare)
	found, complete := s.owners.find(inodes, now.Add(budget))
	s.looked = time.Now()
	s.table.name(found)
	if complete {
		return
	}
	for _, inode := range inodes {
		if _, ok := found[inode]; !ok && len(s.pending) < maxListeners {
			s.pending = append(s.pending, inode)
		}
	}
}

// nameSockets looks for owners on the side, so that no scan waits for it, until ctx ends.
func (s *scanner) nameSockets(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case inodes := <-s.jobs:
			found, complete := s.owners.find(inodes, time.Now().Add(nameAtMost))
			select {
			case <-ctx.Done():
				return
			case s.found <- findings{inodes, found, complete}:
			}
		}
	}
}

// settle takes what a look on the side came to. A socket that nobody can be seen to hold
// has no owner.
func (s *scanner) settle(f findings) {
	s.table.name(f.owners)
	if f.complete {
		s.table.disown(f.asked)
	}
}

// lookAgain has the owners looked for that are not known: a look may have been cut short by a
// rest.
func (s *scanner) lookAgain() {
	for _, sock := range s.table.sockets {
		if !sock.ignored && sock.owner.pid == 0 && sock.Inode != 0 && len(s.pending) < maxListeners && !slices.Contains(s.pending, sock.Inode) {
			s.pending = append(s.pending, sock.Inode)
		}
	}
}

// verify checks some owners, since a process may hand a socket to another one and the socket
// table does not tell. Who is not seen to hold its socket twice in a row is looked for
// anew: once is no sign, because the socket of a process that ends goes a little later
// than its descriptors.
func (s *scanner) verify(now time.Time) {
	if now.Sub(s.verified) < verifyEvery {
		return
	}
	s.verified = now
	checked := 0
	for _, sock := range s.table.sockets { // in random order, so that all have their turn
		if sock.ignored || sock.owner.pid == 0 {
			continue
		}
		if checked++; checked > verifyAtMost {
			return
		}
		doubted := sock.doubted
		sock.doubted = !s.owners.holds(sock.owner, sock.Inode)
		if doubted && sock.doubted && len(s.pending) < maxListeners && !slices.Contains(s.pending, sock.Inode) {
			s.pending = append(s.pending, sock.Inode)
		}
	}
}
