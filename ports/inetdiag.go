package ports

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// The wire of NETLINK_SOCK_DIAG (linux/netlink.h, linux/inet_diag.h), as far as a dump
// of listening sockets needs it. It is spelled out here, not taken from a Linux-only
// package, so that the parser is compiled, tested and fuzzed on every platform.
const (
	nlmsgHeaderLen = 16 // struct nlmsghdr: len u32, type u16, flags u16, seq u32, pid u32
	nlmsgError     = 2
	nlmsgDone      = 3
	nlmRequest     = 0x1
	nlmDumpIntr    = 0x10
	nlmDump        = 0x300

	diagByFamily  = 20 // SOCK_DIAG_BY_FAMILY, one address family a request
	diagTCPLegacy = 18 // TCPDIAG_GETSOCK, both families at once

	afInet      = 2
	afInet6     = 10
	protoTCP    = 6
	stateListen = 10 // TCP_LISTEN of linux/net/tcp_states.h; 0A in /proc/net/tcp

	diagMsgLen = 72 // struct inet_diag_msg
)

var (
	errNetlinkMalformed = errors.New("malformed netlink message")
	errDumpInterrupted  = errors.New("netlink dump interrupted")
)

// legacyRequest asks for the listeners of both families by struct inet_diag_req. It is
// the older interface and half the price: one dump, where the newer takes two.
func legacyRequest(seq uint32) []byte {
	b := make([]byte, nlmsgHeaderLen+60)
	putNlmsgHeader(b, diagTCPLegacy, seq)
	b[16] = afInet // ignored by the kernel, which dumps both
	binary.NativeEndian.PutUint32(b[68:], 1<<stateListen)
	return b
}

// familyRequest asks for the listeners of one family by struct inet_diag_req_v2.
func familyRequest(seq uint32, family byte) []byte {
	b := make([]byte, nlmsgHeaderLen+56)
	putNlmsgHeader(b, diagByFamily, seq)
	b[16], b[17] = family, protoTCP
	binary.NativeEndian.PutUint32(b[20:], 1<<stateListen)
	return b
}

func putNlmsgHeader(b []byte, typ uint16, seq uint32) {
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], typ)
	binary.NativeEndian.PutUint16(b[6:], nlmRequest|nlmDump)
	binary.NativeEndian.PutUint32(b[8:], seq)
}

// parseDiag appends the listeners of one datagram of the answer to request seq.
// Messages of other requests are skipped. It says whether the dump is complete.
func parseDiag(dst []Listener, b []byte, seq uint32) (_ []Listener, done bool, err error) {
	for len(b) > 0 {
		if len(b) < nlmsgHeaderLen {
			return dst, false, errNetlinkMalformed
		}
		size := int(binary.NativeEndian.Uint32(b))
		if size < nlmsgHeaderLen || size > len(b) {
			return dst, false, errNetlinkMalformed
		}
		if binary.NativeEndian.Uint32(b[8:]) == seq {
			dst, done, err = parseDiagMessage(dst, b[:size])
			if done || err != nil {
				return dst, done, err
			}
		}
		b = b[min((size+3)&^3, len(b)):] // NLMSG_ALIGN
	}
	return dst, false, nil
}

func parseDiagMessage(dst []Listener, msg []byte) (_ []Listener, done bool, err error) {
	typ, flags := binary.NativeEndian.Uint16(msg[4:]), binary.NativeEndian.Uint16(msg[6:])
	body := msg[nlmsgHeaderLen:]
	if flags&nlmDumpIntr != 0 {
		return dst, false, errDumpInterrupted
	}
	switch typ {
	case nlmsgDone, nlmsgError:
		// Both carry a negative errno; DONE of old kernels may be empty.
		if len(body) >= 4 {
			if code := int32(binary.NativeEndian.Uint32(body)); code < 0 {
				return dst, false, fmt.Errorf("dump sockets: %w", syscall.Errno(-code))
			}
		}
		return dst, true, nil
	case diagTCPLegacy, diagByFamily:
		ln, listening, err := parseDiagSocket(body)
		if err != nil || !listening {
			return dst, false, err
		}
		if len(dst) >= maxListeners {
			return dst, false, ErrTooManyListeners
		}
		return append(dst, ln), false, nil
	}
	return dst, false, nil
}

// parseDiagSocket reads a struct inet_diag_msg: family, state, timer, retrans (u8 each),
// then struct inet_diag_sockid: sport, dport (be16), src, dst ([4]be32), if, cookie[2];
// then expires, rqueue, wqueue, uid, inode (u32 each). Attributes after it are not needed.
func parseDiagSocket(b []byte) (_ Listener, listening bool, err error) {
	if len(b) < diagMsgLen {
		return Listener{}, false, errNetlinkMalformed
	}
	port := binary.BigEndian.Uint16(b[4:])
	if b[1] != stateListen || port == 0 {
		return Listener{}, false, nil
	}
	var addr netip.Addr
	switch b[0] {
	case afInet:
		addr = netip.AddrFrom4([4]byte(b[8:]))
	case afInet6:
		addr = netip.AddrFrom16([16]byte(b[8:])).Unmap()
	default:
		return Listener{}, false, nil
	}
	return Listener{
		Addr:  netip.AddrPortFrom(addr, port),
		UID:   binary.NativeEndian.Uint32(b[64:]),
		Inode: binary.NativeEndian.Uint32(b[68:]),
	}, true, nil
}
