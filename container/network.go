package container

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
)

// Network is what a container can reach.
type Network string

// Networks. Zero is NetworkBridge.
const (
	// NetworkBridge is a bridge for the sessions alone: out to the internet, as the engine's default one, but neither to
	// each other nor to other containers.
	NetworkBridge Network = "bridge"
	// NetworkNone is the loopback interface and nothing else. The container has no address and publishes no port: it is
	// entered by ExecConn.
	NetworkNone Network = "none"
)

// DefaultNetwork is the name of the sessions' bridge. One for all of them, since the engine has room for some thirty
// bridges, and each takes a tenth of a second to make; that they cannot reach each other is an option of the bridge.
const DefaultNetwork = "sketch-ide"

// optionICC is the bridge driver's "inter-container connectivity".
const optionICC = "com.docker.network.bridge.enable_icc"

// networkMode is what the engine is to attach a container to. An engine that makes no network (some have no such
// option) has its default one, which is less private and as useful.
func (e *Engine) networkMode(ctx context.Context, spec Spec) (container.NetworkMode, error) {
	if spec.Network == NetworkNone {
		return "none", nil
	}
	switch err := e.ensureNetwork(ctx); {
	case err == nil:
		return container.NetworkMode(e.network), nil
	case ctx.Err() != nil || errors.Is(err, ErrEngineLost):
		return "", err
	default:
		e.log.Warn("use the engine's default network", "err", err)
		return "bridge", nil
	}
}

// ensureNetwork sees to it that the sessions' bridge is there. Engines allow several networks of one name, made in the
// same moment, and then refuse the name as ambiguous: all but the oldest go.
func (e *Engine) ensureNetwork(ctx context.Context) error {
	found, err := e.networks(ctx)
	if err != nil || len(found) == 1 {
		return err
	}
	if len(found) == 0 {
		if found, err = e.makeNetwork(ctx); err != nil {
			return err
		}
	}
	for _, extra := range found[min(1, len(found)):] {
		if err := e.api.NetworkRemove(ctx, extra.ID); err != nil && !errors.Is(kindOf(err), ErrNotFound) {
			return wrap(ctx, "remove network "+extra.ID, err)
		}
	}
	return nil
}

func (e *Engine) makeNetwork(ctx context.Context) ([]network.Summary, error) {
	_, err := e.api.NetworkCreate(ctx, e.network, network.CreateOptions{
		Driver:  "bridge",
		Options: map[string]string{optionICC: "false"},
		Labels:  map[string]string{LabelKind: KindNetwork, LabelVersion: e.version},
	})
	found, listErr := e.networks(ctx)
	if listErr != nil {
		return nil, listErr
	}
	if len(found) == 0 {
		return nil, wrap(ctx, "create network "+e.network, cmp.Or(err, errors.New("it is not there")))
	}
	return found, nil // where it was not made by us, then by another process in the same moment
}

// networks lists the networks of the name, oldest first.
func (e *Engine) networks(ctx context.Context) ([]network.Summary, error) {
	found, err := e.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", "^"+e.network+"$"))})
	if err != nil {
		return nil, wrap(ctx, "list networks", err)
	}
	found = slices.DeleteFunc(found, func(n network.Summary) bool { return n.Name != e.network })
	slices.SortFunc(found, func(a, b network.Summary) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return found, nil
}

// networkMissing tells whether a container did not start because its network is gone: `docker network prune` takes those
// whose containers are all stopped. The engine has no code that tells this from a missing container.
func networkMissing(err error) bool {
	return err != nil && regexpNetwork.MatchString(err.Error())
}

var regexpNetwork = regexp.MustCompile(`network \S+ not found`)

// reattach gives a stopped container the sessions' bridge, made anew, in place of the one that it remembers by its id.
func (e *Engine) reattach(ctx context.Context, id string) error {
	if err := e.ensureNetwork(ctx); err != nil {
		return err
	}
	if err := e.api.NetworkDisconnect(ctx, e.network, id, true); err != nil {
		return wrap(ctx, "leave network", err)
	}
	return wrap(ctx, "join network", e.api.NetworkConnect(ctx, e.network, id, nil))
}

// RemoveNetwork removes the sessions' bridge if no container is attached to it, running or not; the next Create makes
// it again. It tells whether there was something to remove.
func (e *Engine) RemoveNetwork(ctx context.Context) (bool, error) {
	sessions, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("network", e.network))})
	if err != nil {
		return false, wrap(ctx, "list containers of the network", err)
	}
	found, err := e.networks(ctx)
	if err != nil || len(sessions) > 0 {
		return false, err
	}
	for _, n := range found {
		if n.Labels[LabelKind] != KindNetwork {
			return false, nil // somebody else's, of the same name
		}
		err := e.api.NetworkRemove(ctx, n.ID)
		if cerrdefs.IsPermissionDenied(err) || cerrdefs.IsConflict(err) {
			return false, nil // a container has just been attached to it
		}
		if err != nil {
			return false, wrap(ctx, "remove network "+n.Name, err)
		}
	}
	return len(found) > 0, nil
}
