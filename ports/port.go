package ports

import (
	"net/netip"
	"time"
)

// A Port is what consumers see: one port number, open while at least one socket
// listens on it, on whatever address. Values that a Log or Follow has handed out
// are shared and must not be modified.
type Port struct {
	Number uint16 `json:"number"`
	// Addresses are the addresses that listen, sorted and without repetition:
	// 0.0.0.0, ::, 127.0.0.1, ::1 or specific ones; the first maxAddresses of them.
	Addresses []netip.Addr `json:"addresses"`
	// Process is the short name of the process that listens. It is resolved after
	// publication where it cannot be had at once; unknown stays empty.
	Process string `json:"process,omitempty"`
	// Command is its command line, cut at maxCommand bytes.
	Command string `json:"command,omitempty"`
	PID     int    `json:"pid,omitempty"`
	UID     uint32 `json:"uid"`
	// Since is when the port was first seen open without interruption.
	Since time.Time `json:"since"`
}

// Bounds of what is told of a port, on both ends.
const (
	maxProcess   = 64  // bytes
	maxCommand   = 512 // bytes
	maxAddresses = 64
)
