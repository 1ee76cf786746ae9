//go:build !darwin

package tunnel

import "syscall"

// wildcardFree is for Darwin. Elsewhere the kernel refuses a loopback address beside somebody's wildcard by itself.
func wildcardFree(string, string, syscall.RawConn) error { return nil }
