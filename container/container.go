package container

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
)

// State is what a container is doing, in the engine's words.
type State string

// States. A container that stays in StateCreated was left half-made by a crash.
const (
	StateCreated    State = "created"
	StateRunning    State = "running"
	StatePaused     State = "paused"
	StateRestarting State = "restarting"
	StateRemoving   State = "removing"
	StateExited     State = "exited"
	StateDead       State = "dead"
)

// Container is a container as the engine describes it at one moment.
type Container struct {
	ID       string
	Name     string
	Image    string // what it was created from: an image's id
	ImageID  string
	Labels   map[string]string
	State    State
	ExitCode int // of StateExited
	OOM      bool
	Created  time.Time
	Address  netip.Addr     // its own; invalid when it does not run. Reachable only where Engine.Local
	SSH      netip.AddrPort // the published port on 127.0.0.1; invalid when it does not run. Changes with each start
}

// Session is the name of the session that the container belongs to.
func (c Container) Session() string { return c.Labels[LabelSession] }

// Folder is the session's folder on the host.
func (c Container) Folder() string { return c.Labels[LabelFolder] }

// Owner is who made the container: the Options.Owner of its maker.
func (c Container) Owner() string { return c.Labels[LabelOwner] }

// Inspect describes a container by id or name. Errors: ErrNotFound, ErrEngineLost.
func (e *Engine) Inspect(ctx context.Context, id string) (Container, error) {
	found, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return Container{}, wrap(ctx, "inspect container", err)
	}
	return describeContainer(found), nil
}

// List describes all session containers of ours, running or not, oldest first.
func (e *Engine) List(ctx context.Context) ([]Container, error) {
	return e.listKind(ctx, KindSession)
}

// Probes describes the short-lived containers that a crash in EnsureImage left behind, oldest first: those that are
// older than olderThan, and in any case than two minutes, since a younger one may be at work. Remove removes them.
func (e *Engine) Probes(ctx context.Context, olderThan time.Duration) ([]Container, error) {
	list, err := e.listKind(ctx, KindProbe)
	return slices.DeleteFunc(list, func(c Container) bool {
		return time.Since(c.Created) < max(olderThan, 2*probeTimeout)
	}), err
}

// listKind inspects one by one: the engine's list has neither exit codes nor addresses of all kinds of networks.
func (e *Engine) listKind(ctx context.Context, kind string) ([]Container, error) {
	found, err := e.api.ContainerList(ctx, container.ListOptions{
		All:     true,
		Filters: filters.NewArgs(filters.Arg("label", LabelKind+"="+kind)),
	})
	if err != nil {
		return nil, wrap(ctx, "list containers", err)
	}
	var list []Container
	for _, summary := range found {
		if !ours(summary) {
			continue
		}
		c, err := e.Inspect(ctx, summary.ID)
		if errors.Is(err, ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Container) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// ours tells whether we made the container. Its labels alone do not: they may come from its image, from a LABEL in a
// Dockerfile to the containers of a build's steps, or from `docker commit`. None of these can choose a name.
func ours(c container.Summary) bool {
	named := func(match func(name string) bool) bool {
		return slices.ContainsFunc(c.Names, func(name string) bool { return match(strings.TrimPrefix(name, "/")) })
	}
	switch c.Labels[LabelKind] {
	case KindSession:
		// Podman tells no command where there is but an entry point.
		return (c.Command == AgentPath+" agent" || c.Command == "") && named(func(name string) bool { return name == c.Labels[LabelSession] })
	case KindProbe:
		return named(func(name string) bool { return strings.HasPrefix(name, probePrefix) })
	}
	return false
}

// describeContainer bears with parts that an engine leaves out.
func describeContainer(found container.InspectResponse) Container {
	var c Container
	if base := found.ContainerJSONBase; base != nil {
		c.ID, c.Name, c.ImageID = base.ID, strings.TrimPrefix(base.Name, "/"), base.Image
		c.Created, _ = time.Parse(time.RFC3339Nano, base.Created) // unknown counts as old
		if s := base.State; s != nil {
			c.State, c.ExitCode, c.OOM = State(s.Status), s.ExitCode, s.OOMKilled
		}
	}
	if found.Config != nil {
		c.Image, c.Labels = found.Config.Image, found.Config.Labels
	}
	if found.NetworkSettings != nil && (c.State == StateRunning || c.State == StatePaused) {
		c.Address = containerAddress(found.NetworkSettings)
		c.SSH = publishedPort(found.NetworkSettings)
	}
	return c
}

func containerAddress(settings *container.NetworkSettings) netip.Addr {
	for _, name := range slices.Sorted(maps.Keys(settings.Networks)) {
		if network := settings.Networks[name]; network != nil {
			if addr, err := netip.ParseAddr(network.IPAddress); err == nil {
				return addr
			}
		}
	}
	return netip.Addr{}
}

// publishedPort is the one port that Create publishes.
func publishedPort(settings *container.NetworkSettings) netip.AddrPort {
	for _, bindings := range settings.Ports {
		for _, b := range bindings {
			addr, err := netip.ParseAddrPort(b.HostIP + ":" + b.HostPort)
			if err == nil && addr.Addr().IsLoopback() && addr.Port() != 0 {
				return addr
			}
		}
	}
	return netip.AddrPort{}
}
