package container

import (
	"context"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
)

// StoredVolume is a volume that was made for sessions of a folder.
type StoredVolume struct {
	Name    string
	Folder  string // the sessions' folder on the host
	Owner   string // Options.Owner of who made it
	Created time.Time
}

// volumeLabels are set when the volume is made, and stay.
func (e *Engine) volumeLabels(spec Spec) map[string]string {
	return map[string]string{
		LabelKind: KindVolume, LabelFolder: spec.Labels[LabelFolder], LabelVersion: e.version, LabelOwner: e.owner,
	}
}

// Volumes lists the volumes that Create made because a Mount of a session was Ours.
func (e *Engine) Volumes(ctx context.Context) ([]StoredVolume, error) {
	found, err := e.api.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(filters.Arg("label", LabelKind+"="+KindVolume))})
	if err != nil {
		return nil, wrap(ctx, "list volumes", err)
	}
	var list []StoredVolume
	for _, v := range found.Volumes {
		stored := StoredVolume{Name: v.Name, Folder: v.Labels[LabelFolder], Owner: v.Labels[LabelOwner]}
		stored.Created, _ = time.Parse(time.RFC3339, v.CreatedAt) // unknown counts as old
		list = append(list, stored)
	}
	return list, nil
}

// RemoveVolume removes a volume with what is in it. It is ErrInUse while a container, running or not, has it.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	err := e.api.VolumeRemove(ctx, name, false)
	if cerrdefs.IsConflict(err) {
		return &callError{op: "remove volume " + name, kind: ErrInUse, err: err}
	}
	return wrap(ctx, "remove volume "+name, err)
}
