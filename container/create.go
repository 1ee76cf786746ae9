package container

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// Create makes a container and copies its files in; it is not started. Where that fails, nothing is left behind.
// Errors: ErrNameConflict, ErrNotFound (the image is gone), ErrEngineLost.
func (e *Engine) Create(ctx context.Context, spec Spec) (Container, error) {
	if err := e.checkMounts(spec); err != nil {
		return Container{}, err
	}
	mode, endpoints, err := e.attachment(ctx, spec)
	if err != nil {
		return Container{}, fmt.Errorf("create container %s: %w", spec.Name, err)
	}
	hostConfig := e.hostConfig(spec)
	hostConfig.NetworkMode = mode
	id, shared, err := e.withShared(ctx, spec)
	if err != nil {
		return Container{}, fmt.Errorf("create container %s: %w", spec.Name, err)
	}
	config := e.config(spec)
	config.Image = id
	created, err := e.api.ContainerCreate(ctx, config, hostConfig, endpoints, nil, spec.Name)
	if noInit(err) { // the agent reaps by itself then
		hostConfig.Init = nil
		created, err = e.api.ContainerCreate(ctx, config, hostConfig, endpoints, nil, spec.Name)
	}
	if cerrdefs.IsConflict(err) {
		return Container{}, &callError{op: "create container " + spec.Name, kind: ErrNameConflict, err: err}
	}
	if err != nil {
		return Container{}, mountFailure(spec, wrap(ctx, "create container "+spec.Name, err))
	}
	for _, warning := range created.Warnings {
		e.log.Debug("engine warns about container", "name", spec.Name, "warning", warning)
	}
	c, err := e.fill(ctx, created.ID, spec, shared)
	if err != nil {
		e.discard(ctx, created.ID)
		return Container{}, fmt.Errorf("create container %s: %w", spec.Name, err)
	}
	return c, nil
}

// noInit goes by the words of Podman, which has its init in a package of its own.
func noInit(err error) bool {
	return err != nil && strings.Contains(err.Error(), "container-init binary not found")
}

// mountFailure names the mount whose source is not there. Engines have no code for that, and quote the path.
func mountFailure(spec Spec, err error) error {
	text := err.Error()
	for _, m := range spec.Mounts {
		if m.Type == "bind" && strings.Contains(text, "bind source path does not exist") && strings.Contains(text, m.Source) {
			return &MountError{Mount: m, Reason: "the source does not exist on the engine's machine", Hint: "Make it, or change the setting mounts."}
		}
	}
	return err
}

// fill copies in what the container's image does not have.
func (e *Engine) fill(ctx context.Context, id string, spec Spec, shared bool) (Container, error) {
	files, dirs := spec.Files, spec.Shared.dirs()
	if !shared {
		files, dirs = slices.Concat(spec.Shared.Files, files), nil
	}
	if err := e.copyIn(ctx, id, files, dirs); err != nil {
		return Container{}, err
	}
	return e.Inspect(ctx, id)
}

// config keeps the image's ENV, WORKDIR and USER. Its entry point gives way to the agent, and so does what would be
// done to an entry point: its health checks and its own stop signal.
func (e *Engine) config(spec Spec) *container.Config {
	hostname := spec.Hostname
	if hostname == "" {
		hostname = spec.Name
	}
	config := &container.Config{
		Hostname:     hostname,
		Entrypoint:   []string{AgentPath, "agent"},
		Env:          environment(spec.Env),
		Labels:       e.sessionLabels(spec),
		ExposedPorts: nat.PortSet{sshPort(spec): {}},
		Healthcheck:  &container.HealthConfig{Test: []string{"NONE"}},
		StopSignal:   "SIGTERM",
	}
	if spec.Network == NetworkNone {
		config.ExposedPorts = nil
	}
	return config
}

func (e *Engine) sessionLabels(spec Spec) map[string]string {
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelKind] = KindSession
	labels[LabelSession] = spec.Name
	labels[LabelVersion] = e.version
	labels[LabelOwner] = e.owner
	return labels
}

func environment(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

const discardTimeout = 20 * time.Second

// discard removes a container that is of no use any more, although ctx may have ended. What it cannot remove bears
// our labels, and is found by the next prune.
func (e *Engine) discard(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	if err := e.Remove(ctx, id); err != nil {
		e.log.Warn("leave a container behind", "id", id, "err", err)
	}
}
