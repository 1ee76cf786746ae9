package ports

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// A socket is a listening socket as long as it exists.
type socket struct {
	Listener
	serial  uint64 // order of appearance
	owner   process
	ignored bool // decided once, before publication or when the owner was found late
	doubted bool // its owner was not seen to hold it at the last check
}

// A socketKey tells sockets apart. The inode alone does, where the source knows it.
type socketKey struct {
	addr  netip.AddrPort
	inode uint32
}

// A table holds the sockets of the last scan and turns them into published endpoints.
// It is plain data of one goroutine.
type table struct {
	sockets map[socketKey]*socket
	serial  uint64
	board   board
}

func newTable() *table {
	return &table{sockets: make(map[socketKey]*socket), board: newBoard()}
}

// replace makes rows the sockets of the table and returns those that are new.
func (t *table) replace(rows []Listener) (fresh []*socket) {
	next := make(map[socketKey]*socket, len(rows))
	for _, row := range rows {
		key := socketKey{row.Addr, row.Inode}
		s := t.sockets[key]
		if s == nil {
			s = next[key]
		}
		if s == nil {
			t.serial++
			s = &socket{Listener: row, serial: t.serial}
			fresh = append(fresh, s)
		}
		next[key] = s
	}
	t.sockets = next
	return fresh
}

// name tells the table who holds the sockets with some inodes. Whoever gets a socket from
// its first owner does not change whether it is to be seen.
func (t *table) name(found map[uint32]process) {
	for _, s := range t.sockets {
		p, ok := found[s.Inode]
		if !ok || s.ignored {
			continue
		}
		s.ignored = s.owner.pid == 0 && !s.doubted && p.ignore
		s.owner, s.doubted = p, false
	}
}

// disown forgets the owners of sockets that nobody can be seen to hold any more.
func (t *table) disown(inodes []uint32) {
	for _, s := range t.sockets {
		if s.doubted && slices.Contains(inodes, s.Inode) {
			s.owner = process{}
		}
	}
}

// publish returns what has changed for consumers since it was called last.
func (t *table) publish(now time.Time) []Event {
	return t.board.update(t.endpoints(), now)
}

// endpoints groups the sockets that are to be seen, each group by age.
func (t *table) endpoints() map[netip.AddrPort]endpoint {
	groups := make(map[netip.AddrPort]endpoint)
	for _, s := range t.sockets {
		if !s.ignored {
			group := groups[s.Addr]
			group.sockets = append(group.sockets, s)
			groups[s.Addr] = group
		}
	}
	for addr, group := range groups {
		slices.SortFunc(group.sockets, func(a, b *socket) int { return cmp.Compare(a.serial, b.serial) })
		group.uid = group.sockets[0].UID
		for _, s := range group.sockets {
			if s.owner.pid != 0 {
				group.owner = s.owner
				break
			}
		}
		groups[addr] = group
	}
	return groups
}
