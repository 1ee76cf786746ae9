package ports

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// maxProcRows bounds the rows read of one /proc/net/tcp. Unlike the other sources, it
// lists every connection too.
const maxProcRows = 1 << 18

// parseProcNet appends the listeners of a file in the format of /proc/net/tcp and tcp6:
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 …
//
// Addresses are 32-bit words printed in the machine's own byte order.
func parseProcNet(dst []Listener, r io.Reader) ([]Listener, error) {
	sc := bufio.NewScanner(r)
	for rows := 0; sc.Scan(); rows++ {
		if rows >= maxProcRows {
			return dst, ErrTooManyListeners
		}
		f := strings.Fields(sc.Text())
		if len(f) < 10 || f[3] != "0A" {
			continue // the headline, or a connection
		}
		ln, err := parseProcRow(f)
		if err != nil {
			return dst, fmt.Errorf("parse row %d: %w", rows, err)
		}
		if len(dst) >= maxListeners {
			return dst, ErrTooManyListeners
		}
		dst = append(dst, ln)
	}
	return dst, sc.Err()
}

func parseProcRow(f []string) (Listener, error) {
	addr, err := parseProcAddr(f[1])
	if err != nil {
		return Listener{}, err
	}
	uid, err := strconv.ParseUint(f[7], 10, 32)
	if err != nil {
		return Listener{}, fmt.Errorf("parse uid: %w", err)
	}
	inode, err := strconv.ParseUint(f[9], 10, 32)
	if err != nil {
		return Listener{}, fmt.Errorf("parse inode: %w", err)
	}
	return Listener{Addr: addr, Inode: uint32(inode), UID: uint32(uid)}, nil
}

func parseProcAddr(s string) (netip.AddrPort, error) {
	host, number, _ := strings.Cut(s, ":")
	port, err := strconv.ParseUint(number, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("parse port: %w", err)
	}
	words, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("parse address: %w", err)
	}
	for i := 0; i+4 <= len(words); i += 4 {
		binary.NativeEndian.PutUint32(words[i:], binary.BigEndian.Uint32(words[i:]))
	}
	addr, ok := netip.AddrFromSlice(words)
	if !ok || port == 0 {
		return netip.AddrPort{}, fmt.Errorf("parse address: %q is none", s)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}
