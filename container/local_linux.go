package container

import (
	"slices"
	"strings"

	"github.com/docker/docker/api/types/system"
	"golang.org/x/sys/unix"
)

// isLocal: a unix socket alone does not tell, since engines in virtual machines and rootless ones have one too. The
// former run another kernel; the latter keep their bridge in a network namespace of their own. Rootless Podman does not
// say that it is, but its socket is its user's, as is one that somebody has led here from elsewhere.
func isLocal(ep endpoint, info system.Info) bool {
	var uts unix.Utsname
	var socket unix.Stat_t
	if !ep.unix() || unix.Uname(&uts) != nil || unix.Stat(ep.address, &socket) != nil || socket.Uid != 0 {
		return false
	}
	rootless := slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.Contains(o, "name=rootless") })
	return !rootless && info.OperatingSystem != "Docker Desktop" && info.KernelVersion == unix.ByteSliceToString(uts.Release[:])
}
