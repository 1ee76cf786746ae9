package container

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// probe is what was found in an image. It is kept as JSON in a label of the final image.
type probe struct {
	UID     int    `json:"uid"`
	GID     int    `json:"gid"`
	Home    string `json:"home"`
	Bash    bool   `json:"bash"`
	IPv6    bool   `json:"ipv6"`              // of the engine's kernel
	Git     bool   `json:"git"`               // before our layer
	Manager string `json:"manager,omitempty"` // package manager
}

// probeScript runs in the image's own sh. It asks for nothing but the shell's built-ins.
//
//go:embed probe.sh
var probeScript string

var errProbeSlow = fmt.Errorf("it took longer than %v", probeTimeout)

const (
	probePrefix  = "sketch-ide-probe-" // of a probe's name
	probeTimeout = time.Minute
	probeOutput  = 64 << 10
	probeMemory  = 256 << 20
)

// runProbe runs the script in a container of the image: without network, rights or a writable root.
// Errors: ErrNoShell, errProbeSlow, and any that a container's start may have, such as that of a foreign architecture.
func (e *Engine) runProbe(ctx context.Context, imageID, user string) (probe, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, errProbeSlow)
	defer cancel()
	created, err := e.api.ContainerCreate(ctx, &container.Config{
		Image:       imageID,
		User:        user, // "" = the image's
		Entrypoint:  []string{"sh", "-c", probeScript},
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		Labels:      map[string]string{LabelKind: KindProbe, LabelVersion: e.version, LabelOwner: e.owner},
	}, &container.HostConfig{
		NetworkMode:    "none",
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		LogConfig:      logConfig(probeOutput),
		Resources:      container.Resources{PidsLimit: new(int64(64)), Memory: probeMemory, MemorySwap: probeMemory, CPUShares: cpuShares},
	}, nil, nil, probePrefix+strings.ToLower(rand.Text()))
	if err != nil {
		return probe{}, wrap(ctx, "create probe", err)
	}
	defer e.discard(ctx, created.ID)
	code, err := e.runToEnd(ctx, created.ID)
	if err != nil {
		return probe{}, err
	}
	output, err := e.Logs(ctx, created.ID, 100)
	if err != nil {
		return probe{}, err
	}
	if code != 0 {
		return probe{}, fmt.Errorf("probe image: sh ended with %d: %s", code, printable(string(output)))
	}
	return parseProbe(string(output))
}

// runToEnd starts a container and waits for its exit code. Where the runtime finds no program to start, the engine
// reports the start as failed and notes 127, as a shell would.
func (e *Engine) runToEnd(ctx context.Context, id string) (int64, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	done, failed := e.api.ContainerWait(waiting, id, container.WaitConditionNextExit)
	if err := e.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		cancel()
		select { // the client's goroutine ends when one of the two is taken
		case <-done:
		case <-failed: //nolint:errcheck // that it did not start says more
		}
		if c, inspectErr := e.Inspect(ctx, id); inspectErr == nil && c.ExitCode == 127 {
			return 0, fmt.Errorf("probe image: %w", ErrNoShell)
		}
		return 0, wrap(ctx, "start probe", err)
	}
	select {
	case end := <-done:
		return end.StatusCode, nil
	case err := <-failed:
		return 0, wrap(ctx, "wait for probe", err)
	}
}

// parseProbe reads the script's lines "name=value"; others, and unknown names, are passed over.
func parseProbe(output string) (probe, error) {
	p := probe{UID: -1, GID: -1}
	for line := range strings.Lines(output) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		switch name {
		case "uid":
			p.UID = parseID(value)
		case "gid":
			p.GID = parseID(value)
		case "home":
			p.Home = value
		case "bash":
			p.Bash = true
		case "git":
			p.Git = true
		case "ipv6":
			p.IPv6 = true
		case "manager":
			p.Manager = value
		}
	}
	if p.UID < 0 || p.GID < 0 {
		return probe{}, fmt.Errorf("probe image: cannot tell the user: %q", printable(output))
	}
	if !strings.HasPrefix(p.Home, "/") {
		p.Home = "/"
	}
	return p, nil
}

func parseID(s string) int {
	id, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return int(id)
}
