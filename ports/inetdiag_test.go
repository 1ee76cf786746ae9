package ports

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Messages as Linux 6.18 on amd64 sends them, in answer to request 7.
var (
	diagLoopback4 = unhex(`7c000000 1200 0200 07000000 ea6f0000
		02 0a 00 00 0bb8 0000 7f000001000000000000000000000000 00000000000000000000000000000000
		00000000 0300000000000000 00000000 00000000 80000000 e8030000 51002002
		0500080000000000 08000f0000000000 0c0015000100000000000000 0600160052000000`)
	diagWildcard6 = unhex(`84000000 1200 0200 07000000 ea6f0000
		0a 0a 00 00 9297 0000 00000000000000000000000000000000 00000000000000000000000000000000
		00000000 0200000000000000 00000000 00000000 80000000 00000000 06100200
		0500080000000000 05000b0000000000 08000f0000000000 0c0015000100000000000000 0600160012000000`)
	diagMapped = unhex(`58000000 1400 0200 07000000 ea6f0000
		0a 0a 00 00 1f90 0000 00000000000000000000ffff7f000001 00000000000000000000000000000000
		00000000 0200000000000000 00000000 00000000 80000000 00000000 07000000`)
	diagConnected = unhex(`58000000 1200 0200 07000000 ea6f0000
		02 01 00 00 0bb8 d431 7f000001000000000000000000000000 7f000001000000000000000000000000
		00000000 0200000000000000 00000000 00000000 80000000 00000000 08000000`)
	diagOtherRequest = patched(diagLoopback4, 8, 6)
	diagDone         = unhex(`14000000 0300 0200 07000000 ea6f0000 00000000`)
	diagDenied       = unhex(`24000000 0200 0000 07000000 ea6f0000 f3ffffff
		4c00000012000103 0700000000000000`)
	diagInterrupted = patched(diagLoopback4, 6, 0x12)
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func patched(b []byte, at int, v byte) []byte {
	b = slices.Clone(b)
	b[at] = v
	return b
}

func TestParseDiag(t *testing.T) {
	t.Parallel()
	loopback := Listener{Addr: listener("127.0.0.1:3000", 0).Addr, UID: 1000, Inode: 35651665}
	for _, tt := range []struct {
		name string
		data [][]byte
		want []Listener
		done bool
		err  error
	}{
		{name: "nothing"},
		{name: "end", data: [][]byte{diagDone}, done: true},
		{
			name: "both families", data: [][]byte{diagLoopback4, diagWildcard6, diagDone}, done: true,
			want: []Listener{loopback, listener("[::]:37527", 135174)},
		},
		{
			name: "mapped address is IPv4", data: [][]byte{diagMapped},
			want: []Listener{listener("127.0.0.1:8080", 7)},
		},
		{
			name: "connections and answers to others", data: [][]byte{diagConnected, diagOtherRequest, diagLoopback4},
			want: []Listener{loopback},
		},
		{name: "nothing counts after the end", data: [][]byte{diagDone, diagLoopback4}, done: true},
		{name: "permission denied", data: [][]byte{diagDenied}, err: syscall.EACCES},
		{name: "interrupted", data: [][]byte{diagInterrupted}, err: errDumpInterrupted},
		{name: "cut header", data: [][]byte{diagLoopback4, {1, 2, 3}}, err: errNetlinkMalformed},
		{name: "length beyond the end", data: [][]byte{diagLoopback4[:100]}, err: errNetlinkMalformed},
		{name: "length below the header", data: [][]byte{patched(diagLoopback4, 0, 15)}, err: errNetlinkMalformed},
		{name: "length below the message", data: [][]byte{patched(diagLoopback4, 0, 80)}, err: errNetlinkMalformed},
		{name: "too many", data: slices.Repeat([][]byte{diagLoopback4}, maxListeners+1), err: ErrTooManyListeners},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, done, err := parseDiag(nil, slices.Concat(tt.data...), 7)
			if !errors.Is(err, tt.err) || done != tt.done {
				t.Fatalf("parseDiag: done %v, error %v; want %v, %v", done, err, tt.done, tt.err)
			}
			if tt.err == nil {
				equal(t, "listeners", got, tt.want)
			}
		})
	}
}

func TestRequestsAskForListenersOnly(t *testing.T) {
	t.Parallel()
	legacy, family := legacyRequest(7), familyRequest(7, afInet6)
	for _, tt := range []struct {
		name   string
		b      []byte
		typ    uint16
		states int // offset
	}{
		{"legacy", legacy, 18, 68},
		{"by family", family, 20, 20},
	} {
		if got := int(binary.NativeEndian.Uint32(tt.b)); got != len(tt.b) {
			t.Errorf("%s: length %d, want %d", tt.name, got, len(tt.b))
		}
		if got := binary.NativeEndian.Uint16(tt.b[4:]); got != tt.typ {
			t.Errorf("%s: type %d, want %d", tt.name, got, tt.typ)
		}
		if got := binary.NativeEndian.Uint32(tt.b[tt.states:]); got != 1<<10 {
			t.Errorf("%s: states %#x, want only LISTEN", tt.name, got)
		}
	}
	if family[16] != afInet6 || family[17] != protoTCP {
		t.Errorf("by family: asks for family %d, protocol %d", family[16], family[17])
	}
}
