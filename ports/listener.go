package ports

import (
	"context"
	"errors"
	"net/netip"
)

// A Listener is one TCP socket in the state LISTEN.
//
// Addr is the address as a client has to dial it: an IPv6 socket bound to an
// IPv4-mapped address (::ffff:127.0.0.1) accepts IPv4 only and is reported as
// that IPv4 address, while the wildcard :: stays ::, whether or not the socket
// also accepts IPv4. Zones are dropped.
type Listener struct {
	Addr  netip.AddrPort
	Inode uint32 // 0 where the source cannot tell
	UID   uint32
}

// A Source reads the listening TCP sockets of the network namespace. It is used
// by one goroutine at a time.
type Source interface {
	// Name says where the data comes from, for logs: "netlink", "proc", "ss".
	Name() string
	// Listeners appends every listening socket to dst, in an order that is
	// stable while nothing changes. After an error the result means nothing:
	// there are no partial scans.
	Listeners(ctx context.Context, dst []Listener) ([]Listener, error)
	// Close releases what the source holds. It is not used afterwards.
	Close() error
}

// An OpenSource makes a Source, or says why this machine has none of its kind.
type OpenSource func(ctx context.Context) (Source, error)

var (
	// ErrNoSource means that no way of reading the socket table works here.
	ErrNoSource = errors.New("no source of listening sockets works here")
	// ErrTooManyListeners means that a scan met more than maxListeners sockets.
	// The scan counts as failed, so that its missing rows are not taken for closes.
	ErrTooManyListeners = errors.New("too many listening sockets")
)

// maxListeners bounds one scan. No development machine comes near; a process
// that opens listeners in a loop must not take our memory with it.
const maxListeners = 8192
