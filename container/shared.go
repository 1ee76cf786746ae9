package container

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
)

// Shared is what all sessions of an image have alike, such as the agent's executable: files that are kept in an image of their own upon the session's, so
// that a start need not copy them. Its files must not be secret: whoever may use the engine can read them.
type Shared struct {
	Files []File
	ID    string // of what the files' Load returns, which is not loaded to find out
}

// dirs lists the directories that the files are in, or are.
func (s Shared) dirs() map[string]bool {
	dirs := map[string]bool{}
	for _, f := range s.Files {
		for _, dir := range parentsOf(f.Path) {
			dirs[dir] = true
		}
		dirs[f.Path] = dirs[f.Path] || f.Mode.IsDir()
	}
	return dirs
}

// key names the files.
func (s Shared) key() string {
	h := inputHasher{sha256.New()}
	h.add(recipe, s.ID)
	for _, f := range s.Files {
		h.add(f.Path, f.Mode.String(), strconv.Itoa(f.UID), strconv.Itoa(f.GID), f.Target, string(f.Content))
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// withShared returns the image that has the shared files, and makes it where it lacks; ok is false where a container must get them by itself: those below
// one of the image's VOLUMEs would be hidden, and an engine may not be able to make images of containers.
func (e *Engine) withShared(ctx context.Context, spec Spec) (id string, ok bool, err error) {
	if len(spec.Shared.Files) == 0 {
		return spec.Image.ID, false, nil
	}
	select { // one at a time: ten starts of one image need it once
	case e.sharing <- struct{}{}:
		defer func() { <-e.sharing }()
	case <-ctx.Done():
		return "", false, wrap(ctx, "make image with the shared files", ctx.Err())
	}
	key := spec.Shared.key()
	_, hash, _ := strings.Cut(spec.Image.ID, ":")
	ref := refPrefix + "agent:" + hash[:min(12, len(hash))] + "-" + key
	found, err := e.api.ImageInspect(ctx, ref)
	if err = wrap(ctx, "inspect image", err); errors.Is(err, ErrNotFound) {
		found, err = e.makeShared(ctx, spec, ref)
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, ErrEngineLost) || errors.Is(err, ErrNotFound):
		return "", false, err
	case err != nil:
		e.log.Warn("copy the agent into each container", "err", err)
		return spec.Image.ID, false, nil
	case found.Config == nil || found.Config.Labels[labelUpon] != spec.Image.ID || hidden(spec.Shared, found.Config.Volumes):
		return spec.Image.ID, false, nil
	}
	return found.ID, true, nil
}

// hidden tells whether a volume is mounted over one of the files.
func hidden(s Shared, volumes map[string]struct{}) bool {
	return slices.ContainsFunc(s.Files, func(f File) bool {
		for target := range volumes {
			if within(f.Path, cmp.Or(strings.TrimRight(target, "/"), "/")) {
				return true
			}
		}
		return false
	})
}

// makeShared makes the image: the files are copied into a container that never runs. Images for other versions of the files that are upon the same one
// and that no container uses go, after a while.
func (e *Engine) makeShared(ctx context.Context, spec Spec, ref string) (image.InspectResponse, error) {
	created, err := e.api.ContainerCreate(ctx, &container.Config{
		Image:      spec.Image.ID,
		Entrypoint: []string{AgentPath, "agent"},
		Labels:     map[string]string{LabelKind: KindProbe, LabelVersion: e.version, LabelOwner: e.owner, labelUpon: spec.Image.ID},
	}, &container.HostConfig{NetworkMode: "none"}, nil, nil, probePrefix+strings.ToLower(rand.Text()))
	if err != nil {
		return image.InspectResponse{}, wrap(ctx, "create container for the shared files", err)
	}
	defer e.discard(ctx, created.ID)
	if err := e.CopyIn(ctx, created.ID, spec.Shared.Files); err != nil {
		return image.InspectResponse{}, err
	}
	_, err = e.api.ContainerCommit(ctx, created.ID, container.CommitOptions{
		Reference: ref, Config: &container.Config{}, Changes: []string{"LABEL " + LabelKind + "=" + KindImage},
	})
	if err != nil {
		return image.InspectResponse{}, wrap(ctx, "make image "+ref, err)
	}
	e.dropOutdated(ctx, spec.Image.ID, ref, outdatedAge)
	found, err := e.api.ImageInspect(ctx, ref)
	return found, wrap(ctx, "inspect image", err)
}

// outdatedAge is how long an image with other shared files is kept: two versions of sketch-ide may be in use side by side.
const outdatedAge = time.Hour

// dropOutdated removes images like ref, upon the same one, that nobody uses. Where another process is just about to use one, it makes it again.
func (e *Engine) dropOutdated(ctx context.Context, upon, ref string, age time.Duration) {
	list, err := e.Images(ctx)
	if err != nil {
		e.log.Debug("list images", "err", err)
		return
	}
	for _, i := range list {
		if i.upon != upon || i.Owner != e.owner || i.InUse || time.Since(i.Created) < age || slices.Contains(i.Refs, ref) {
			continue
		}
		if err := e.DropImage(ctx, i); err != nil {
			e.log.Debug("remove outdated image", "err", err)
		}
	}
}

// load reads what the files' contents are.
func load(files []File) ([]File, error) {
	files = slices.Clone(files)
	for i, f := range files {
		if f.Load == nil {
			continue
		}
		content, err := f.Load()
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", f.Path, err)
		}
		files[i].Content = content
	}
	return files, nil
}
