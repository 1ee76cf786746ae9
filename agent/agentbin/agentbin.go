// Package agentbin finds the executable that runs inside containers: sketch-ide itself, built for Linux and an image's architecture.
//
// It owns the choice between one that a developer names, this process's own, and one that a release build embeds, and the check
// that it can run in any Linux image. It never builds, downloads or writes anything. package session calls it. No goroutines.
package agentbin

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Variable is the environment variable that names the agent executable during development.
const Variable = "SKETCH_IDE_AGENT"

const maxSize = 256 << 20 // of an executable, unpacked

// For returns the agent executable for arch, as GOARCH and image configurations name it ("amd64", "arm64"): the file that
// [Variable] names; else this process's own executable, when it is one; else the one that a release build embeds.
//
// The error, an [*Error] unless a file could not be read, says what to build or set. Each call reads some tens of megabytes.
func For(arch string) ([]byte, error) {
	return source{
		named:    os.Getenv(Variable),
		goos:     runtime.GOOS,
		own:      readOwn,
		program:  mainPackage(),
		embedded: embedded,
	}.find(arch)
}

// source is what For looks at.
type source struct {
	named    string // value of Variable
	goos     string
	own      func() ([]byte, error)
	program  string // path of the main package that this process is
	embedded fs.FS  // gzip files named by embeddedName; nil without
}

func embeddedName(arch string) string { return "embedded/sketch-ide-linux-" + arch + ".gz" }

func (s source) find(arch string) ([]byte, error) {
	if s.named != "" {
		return s.fromName(arch)
	}
	own, why, err := s.fromOwn(arch)
	if own != nil || err != nil {
		return own, err
	}
	agent, err := s.fromEmbedded(arch)
	if agent != nil || err != nil {
		return agent, err
	}
	return nil, &Error{
		Arch:   arch,
		Reason: why.reason + ", and none is embedded",
		Hint:   why.hint,
	}
}

func (s source) fromName(arch string) ([]byte, error) {
	data, err := os.ReadFile(s.named)
	if err != nil {
		return nil, fmt.Errorf("read agent executable that %s names: %w", Variable, err)
	}
	if bad := unfit(data, arch); bad != "" {
		return nil, &Error{Arch: arch, Reason: s.named + ", which " + Variable + " names, " + bad, Hint: buildHint(arch)}
	}
	return data, nil
}

// why says what keeps this process's executable from being the agent, and what to do.
type why struct{ reason, hint string }

func (s source) fromOwn(arch string) ([]byte, why, error) {
	if s.goos != "linux" {
		return nil, why{"this is a build for " + s.goos, "Install a release of sketch-ide, or build with: make release"}, nil
	}
	if strings.HasSuffix(s.program, ".test") {
		return nil, why{"this process is a test", buildHint(arch)}, nil
	}
	data, err := s.own()
	if err != nil {
		return nil, why{}, fmt.Errorf("read own executable: %w", err)
	}
	if bad := unfit(data, arch); bad != "" {
		return nil, why{"this executable " + bad, ownHint(bad, arch)}, nil
	}
	return data, why{}, nil
}

func (s source) fromEmbedded(arch string) ([]byte, error) {
	if s.embedded == nil {
		return nil, nil
	}
	f, err := s.embedded.Open(embeddedName(arch))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open embedded agent: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	data, err := unpack(f)
	if err != nil {
		return nil, fmt.Errorf("unpack embedded agent for linux/%s: %w", arch, err)
	}
	if bad := unfit(data, arch); bad != "" {
		return nil, &Error{Arch: arch, Reason: "the embedded one " + bad, Hint: "Install another release of sketch-ide."}
	}
	return data, nil
}

func unpack(r io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(z, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("larger than %d MiB", maxSize>>20)
	}
	return data, nil
}

// readOwn reads the file that this process was started from, even after an update has replaced it.
func readOwn() ([]byte, error) {
	return os.ReadFile("/proc/self/exe")
}

func mainPackage() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Path
	}
	return ""
}
