//go:build !linux

package container

import "github.com/docker/docker/api/types/system"

// isLocal: elsewhere than on Linux, engines run in virtual machines.
func isLocal(endpoint, system.Info) bool { return false }
