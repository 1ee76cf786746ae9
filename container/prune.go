package container

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// StoredImage is an image of ours on the engine's disk.
type StoredImage struct {
	ID      string
	Refs    []string // tags of ours; none for a superseded or half-made image
	Owner   string   // Options.Owner of who built it; others with the same inputs use it too
	Size    int64    // bytes, with layers that other images share
	Created time.Time
	InUse   bool // a container was made from it, or from the one with the shared files upon it
	upon    string
}

// Images lists the images that EnsureImage made, oldest first.
func (e *Engine) Images(ctx context.Context) ([]StoredImage, error) {
	found, err := e.api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", LabelKind+"="+KindImage))})
	if err != nil {
		return nil, wrap(ctx, "list images", err)
	}
	users, err := e.api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, wrap(ctx, "list containers", err)
	}
	used := map[string]bool{}
	for _, c := range users {
		used[c.ImageID] = true
	}
	for _, s := range found {
		if used[s.ID] {
			used[s.Labels[labelUpon]] = true
		}
	}
	var list []StoredImage
	for _, s := range found {
		refs, ok := ourRefs(s)
		if !ok {
			continue
		}
		list = append(list, StoredImage{
			ID: s.ID, Refs: refs, Owner: s.Labels[LabelOwner], Size: s.Size, Created: time.Unix(s.Created, 0),
			InUse: used[s.ID], upon: s.Labels[labelUpon],
		})
	}
	slices.SortFunc(list, func(a, b StoredImage) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// ourRefs: an image that somebody built upon one of ours inherits its label. It is somebody's if all of its tags are.
func ourRefs(s image.Summary) (refs []string, ok bool) {
	tags := slices.DeleteFunc(slices.Clone(s.RepoTags), func(t string) bool { return t == "<none>:<none>" })
	refs = slices.DeleteFunc(slices.Clone(tags), func(t string) bool { return !strings.HasPrefix(strings.TrimPrefix(t, "docker.io/"), refPrefix) }) // Podman writes names out
	return refs, s.Labels[LabelKind] == KindImage && (len(tags) == 0 || len(refs) > 0)
}

// RemoveImage removes an image of ours: its tags of ours, and the image with them unless it has others. An image in
// use is ErrInUse; one that is gone, or not ours, ErrNotFound.
func (e *Engine) RemoveImage(ctx context.Context, id string) error {
	list, err := e.Images(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(s StoredImage) bool { return s.ID == id || slices.Contains(s.Refs, id) })
	if i < 0 {
		return &callError{op: "remove image", kind: ErrNotFound, err: errors.New("no image of sketch-ide is called " + id)}
	}
	if list[i].InUse {
		return &callError{op: "remove image", kind: ErrInUse, err: ErrInUse}
	}
	return e.DropImage(ctx, list[i])
}

// DropImage is RemoveImage for one of Images, which takes half a second on a full machine and is not asked for again. The engine itself refuses an image in
// use, unless it has other names.
func (e *Engine) DropImage(ctx context.Context, i StoredImage) error {
	targets := i.Refs
	if len(targets) == 0 {
		targets = []string{i.ID}
	}
	for _, target := range targets {
		_, err := e.api.ImageRemove(ctx, target, image.RemoveOptions{PruneChildren: true})
		if cerrdefs.IsConflict(err) {
			return &callError{op: "remove image", kind: ErrInUse, err: err}
		}
		if err = wrap(ctx, "remove image", err); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// Usage is what ours takes of the engine's disk, in bytes, as far as the engine can tell: by id, of images without layers that others share, of containers
// what was written in them.
type Usage struct{ Images, Containers map[string]int64 }

// DiskUsage measures what ours takes. It can take seconds on a large engine.
func (e *Engine) DiskUsage(ctx context.Context) (Usage, error) {
	found, err := e.diskUsage(ctx)
	if err != nil {
		return Usage{}, wrap(ctx, "measure disk usage", err)
	}
	usage := Usage{Images: map[string]int64{}, Containers: map[string]int64{}}
	for _, s := range found.Images {
		if _, ok := ourRefs(*s); ok {
			usage.Images[s.ID] = s.Size - max(0, s.SharedSize)
		}
	}
	for _, c := range found.Containers {
		if ours(*c) {
			usage.Containers[c.ID] = max(0, c.SizeRw)
		}
	}
	return usage, nil
}

const (
	usagePatience = 30 * time.Second
	usageRetry    = 200 * time.Millisecond
)

// diskUsage waits its turn: engines measure for one client at once and refuse the others, by a text of their own and no code.
func (e *Engine) diskUsage(ctx context.Context) (types.DiskUsage, error) {
	retry := time.NewTicker(usageRetry)
	defer retry.Stop()
	for begun := time.Now(); ; {
		found, err := e.api.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.ContainerObject, types.ImageObject}})
		if err == nil || !strings.Contains(err.Error(), "already running") || time.Since(begun) > usagePatience {
			return found, err
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return found, ctx.Err()
		}
	}
}
