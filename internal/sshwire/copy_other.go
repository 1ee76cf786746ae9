//go:build !unix

package sshwire

import (
	"errors"
	"syscall"
)

// whenReady needs the non-blocking sockets of unix.
func whenReady(syscall.Conn) (step, error) { return nil, errors.ErrUnsupported }
