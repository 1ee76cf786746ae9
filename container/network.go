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

// attachment is what the engine is to attach a container to. The bridge is given by its id too, since its name can be
// ambiguous for a while. An engine that makes no network (some have no such option) has its default one, which is less
// private and as useful.
func (e *Engine) attachment(ctx context.Context, spec Spec) (container.NetworkMode, *network.NetworkingConfig, error) {
	if spec.Network == NetworkNone {
		return "none", nil, nil
	}
	switch id, err := e.ensureNetwork(ctx); {
	case err == nil:
		endpoints := map[string]*network.EndpointSettings{e.network: {NetworkID: id}}
		return container.NetworkMode(e.network), &network.NetworkingConfig{EndpointsConfig: endpoints}, nil
	case ctx.Err() != nil || errors.Is(err, ErrEngineLost):
		return "", nil, err
	default:
		e.log.Warn("use the engine's default network", "err", err)
		return "bridge", nil, nil
	}
}

// ensureNetwork sees to it that the sessions' bridge is there, and returns its id. Engines allow several networks of one
// name, made in the same moment by two processes: the oldest is used, and the others go once nothing is attached to them.
func (e *Engine) ensureNetwork(ctx context.Context) (string, error) {
	found, err := e.networks(ctx)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		if found, err = e.makeNetwork(ctx); err != nil {
			return "", err
		}
	}
	for _, extra := range found[1:] {
		if err := e.api.NetworkRemove(ctx, extra.ID); err != nil {
			e.log.Debug("leave a second network of the sessions", "id", extra.ID, "err", err)
		}
	}
	return found[0].ID, nil
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
// whose containers are all stopped; or because it knows it by a name that two have. The engine has no code that tells
// this from a missing container.
func networkMissing(err error) bool {
	return err != nil && regexpNetwork.MatchString(err.Error())
}

var regexpNetwork = regexp.MustCompile(`network \S+ (not found|is ambiguous)`)

// reattach gives a stopped container the sessions' bridge in place of the network that it remembers.
func (e *Engine) reattach(ctx context.Context, id string) error {
	bridge, err := e.ensureNetwork(ctx)
	if err != nil {
		return err
	}
	found, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return wrap(ctx, "inspect container", err)
	}
	for gone := range found.NetworkSettings.Networks {
		if err := e.api.NetworkDisconnect(ctx, gone, id, true); err != nil {
			return wrap(ctx, "leave network", err)
		}
	}
	return wrap(ctx, "join network", e.api.NetworkConnect(ctx, bridge, id, &network.EndpointSettings{NetworkID: bridge}))
}

// RemoveNetwork removes the sessions' bridge if no container is attached to it, running or not; the next Create makes
// it again. It tells whether there was something to remove.
func (e *Engine) RemoveNetwork(ctx context.Context) (bool, error) {
	found, err := e.networks(ctx)
	if err != nil || len(found) == 0 {
		return false, err
	}
	sessions, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("network", e.network))})
	if err != nil {
		return false, wrap(ctx, "list containers of the network", err)
	}
	if len(sessions) > 0 {
		return false, nil
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
	return true, nil
}
