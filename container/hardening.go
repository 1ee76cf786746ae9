package container

import (
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// keptCapabilities are what root in a container keeps of the engine's default set. It is what installing packages,
// sudo and ordinary servers need. Given up are MKNOD (nobody develops with device nodes), SETPCAP, SYS_CHROOT, and
// NET_RAW, with which a container could forge packets of its neighbours on the engine's bridge. The price of the last
// is ping where the distribution gives it file capabilities, as Debian does: it does not start.
var keptCapabilities = []string{
	"AUDIT_WRITE",      // sudo and su fail on some distributions when they cannot write their record
	"CHOWN",            // package managers, install(1)
	"DAC_OVERRIDE",     // root writes into folders of others, as a package manager does
	"FOWNER",           // chmod and utimes on files of others: unpacking packages
	"FSETID",           // unpacking set-group-id files
	"KILL",             // root ends processes of others
	"NET_BIND_SERVICE", // servers on ports below 1024
	"SETFCAP",          // packages whose programs carry file capabilities do not install without
	"SETGID",           // sudo, su, apt's sandbox user
	"SETUID",           // the same
}

const (
	defaultPIDs    = 4096
	defaultLogSize = 8 << 20
	// The engine's default of 64 MiB crashes browsers. It counts against the memory limit.
	shmSize = 512 << 20
	// Half of what containers have by default. Without a limit of processors a build inside uses what is idle, all of
	// it; when others want the same, it gives way: to other containers, and where the engine leaves its containers to
	// systemd, to the host's services. What else runs on the host competes with all containers together, as one.
	cpuShares = 512
)

// defaultMemory leaves a quarter of the machine to the rest of it.
func (e *Engine) defaultMemory() int64 { return e.memory / 4 * 3 }

// hostConfig is what a container may do to its host, and take from it.
//
// no-new-privileges is not set: sudo inside must work. The engine's default seccomp and AppArmor profiles stay.
func (e *Engine) hostConfig(spec Spec) *container.HostConfig {
	initProcess := true
	memory := bound(spec.Limits.Memory, e.defaultMemory())
	config := &container.HostConfig{
		Init:          &initProcess,
		CapDrop:       []string{"ALL"},
		CapAdd:        keptCapabilities,
		PortBindings:  nat.PortMap{sshPort(spec): {{HostIP: "127.0.0.1"}}},
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		LogConfig:     logConfig(bound(spec.Limits.LogSize, defaultLogSize)),
		ShmSize:       shmSize,
		Sysctls:       sysctls(spec.Image),
		Mounts:        e.mounts(spec),
		Resources: container.Resources{
			Memory: memory,
			// The sum of memory and swap: none of the latter. By default the engine adds as much swap as memory, and a
			// process that leaks would have the host swap for minutes, unusable, instead of being killed at once.
			MemorySwap: memory,
			PidsLimit:  new(pidsLimit(spec.Limits.PIDs)),
			NanoCPUs:   int64(max(0, spec.Limits.CPUs) * 1e9),
			CPUShares:  cpuShares,
		},
	}
	if spec.Network == NetworkNone {
		config.PortBindings = nil
	}
	return config
}

// sysctls: the engine turns IPv6 off on every interface of a container whose network has none, the loopback one too,
// where development servers listen on ::1 nevertheless.
func sysctls(image Image) map[string]string {
	if !image.IPv6 {
		return nil
	}
	return map[string]string{"net.ipv6.conf.lo.disable_ipv6": "0"}
}

func sshPort(spec Spec) nat.Port {
	port := spec.SSHPort
	if port == 0 {
		port = DefaultSSHPort
	}
	return nat.Port(strconv.Itoa(int(port)) + "/tcp")
}

// bound is a limit as the engine's API takes it, where 0 is none.
func bound(limit, byDefault int64) int64 {
	switch {
	case limit < 0:
		return 0
	case limit == 0:
		return byDefault
	}
	return limit
}

// pidsLimit: here the API's none is -1.
func pidsLimit(limit int64) int64 {
	if limit < 0 {
		return -1
	}
	return bound(limit, defaultPIDs)
}

// logConfig bounds what the engine keeps of a container's output; 0 keeps all.
func logConfig(size int64) container.LogConfig {
	config := container.LogConfig{Type: "json-file"}
	if size > 0 {
		config.Config = map[string]string{"max-size": strconv.FormatInt(size, 10), "max-file": "1"}
	}
	return config
}
