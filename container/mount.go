package container

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/mount"
)

// Mount is a folder of the host, a volume or a memory file system in a container.
type Mount struct {
	Type     string // "bind", "volume" or "tmpfs"
	Source   string // an absolute path of the engine's machine; a volume's name, or "" for one without a name; "" for tmpfs
	Target   string // an absolute path inside
	ReadOnly bool
	Ours     bool // a volume that prune may remove once no session uses it
}

// String is the mount as docker run --mount takes it.
func (m Mount) String() string {
	s := "type=" + m.Type
	if m.Source != "" {
		s += ",source=" + m.Source
	}
	s += ",target=" + m.Target
	if m.ReadOnly {
		s += ",readonly"
	}
	return s
}

// mounts are the engine's words for them.
func (e *Engine) mounts(spec Spec) []mount.Mount {
	var all []mount.Mount
	for _, m := range spec.Mounts {
		out := mount.Mount{Type: mount.Type(m.Type), Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
		if m.Ours {
			out.VolumeOptions = &mount.VolumeOptions{Labels: e.volumeLabels(spec)}
		}
		all = append(all, out)
	}
	return all
}

// MountError is a mount that is refused, or that the engine could not make.
type MountError struct {
	Mount  Mount
	Reason string
	Hint   string
}

func (e *MountError) Error() string {
	return fmt.Sprintf("mount %s: %s", printable(e.Mount.String()), e.Reason)
}

// checkMounts refuses what would give a container power over its host, whoever asked for it, and what would cover or
// let through what is copied in.
func (e *Engine) checkMounts(spec Spec) error {
	for _, m := range spec.Mounts {
		reason, hint := e.refuseMount(m)
		if reason == "" {
			reason, hint = refuseTarget(m.Target, slices.Concat(spec.Shared.Files, spec.Files))
		}
		if reason != "" {
			return &MountError{Mount: m, Reason: reason, Hint: hint}
		}
	}
	return nil
}

var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,200}$`)

// refuseMount tells why a mount's kind and source are refused, or "".
func (e *Engine) refuseMount(m Mount) (reason, hint string) {
	switch m.Type {
	case "tmpfs":
		if m.Source != "" {
			return "a tmpfs has no source", "Leave the source out."
		}
	case "volume":
		if m.Source != "" && !volumeName.MatchString(m.Source) {
			return "that is no name of a volume", "Use letters, digits, dots and dashes; for a folder of the host, say type=bind."
		}
	case "bind":
		return e.refuseSource(m.Source)
	default:
		return "its type is not bind, volume or tmpfs", "Write type=bind, type=volume or type=tmpfs."
	}
	return "", ""
}

// powerful are paths through which a container could do what its engine can. Beside them stand the sockets of the
// engine in use.
var powerful = []string{
	"/var/run/docker.sock", "/run/docker.sock", "/run/containerd", "/run/podman", "/run/crio", "/run/systemd", "/run/dbus",
	"/var/lib/docker", "/var/lib/containerd", "/proc", "/sys", "/dev", "/boot",
}

// refuseSource tells why a folder or file of the host is refused, or "".
func (e *Engine) refuseSource(source string) (reason, hint string) {
	if !path.IsAbs(source) || path.Clean(source) != source {
		return "the source is not an absolute, clean path", "Write the whole path of the folder on the engine's machine."
	}
	names := []string{source}
	if !e.remote {
		if real, err := filepath.EvalSymlinks(source); err == nil {
			names = append(names, real)
		}
		if info, err := os.Stat(source); err == nil && info.Mode().Type()&os.ModeSocket != 0 {
			return "a socket of the host lets the container act outside", "Mount the files that are needed, not a socket."
		}
	}
	for _, name := range names {
		for _, p := range e.powerful() {
			if within(p, name) || within(name, p) {
				return "with " + p + " a container could do what its engine can", "Mount a folder with nothing but the files that are needed."
			}
		}
	}
	return "", ""
}

// powerful are the paths for this engine.
func (e *Engine) powerful() []string {
	list := slices.Clone(powerful)
	if socket, ok := strings.CutPrefix(e.host, "unix://"); ok {
		list = append(list, socket)
		if real, err := filepath.EvalSymlinks(socket); err == nil {
			list = append(list, real)
		}
	}
	return list
}

// within tells whether a clean path is dir or below it.
func within(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// refuseTarget tells why a place inside is refused, or "". What is copied into a container goes through its mounts.
func refuseTarget(target string, files []File) (reason, hint string) {
	if !path.IsAbs(target) || path.Clean(target) != target {
		return "the target is not an absolute, clean path", "Write the whole path inside the container."
	}
	for _, system := range []string{"/proc", "/sys", "/dev"} {
		if within(target, system) && target != "/dev/shm" {
			return "nothing is mounted over " + system, "Choose another target."
		}
	}
	for _, f := range files {
		if within(f.Path, target) {
			return "it would cover " + f.Path + ", which sketch-ide makes", "Choose a target elsewhere; below the workspace is fine."
		}
	}
	return "", ""
}
