package container

import (
	"context"
	"time"
)

// StoredImage is an image of ours on the engine's disk.
type StoredImage struct {
	ID      string
	Refs    []string // tags of ours; none for a superseded or half-made image
	Size    int64    // bytes, with layers that other images share
	Created time.Time
	InUse   bool // a container was made from it
}

// Images lists the images that EnsureImage made, oldest first.
func (e *Engine) Images(ctx context.Context) ([]StoredImage, error) { return nil, nil }

// RemoveImage removes an image of ours: its tags of ours, and the image with them unless it has others. An image in
// use is ErrInUse; one that is gone, or not ours, ErrNotFound.
func (e *Engine) RemoveImage(ctx context.Context, id string) error { return nil }

// Usage is what ours takes of the engine's disk, in bytes, as far as the engine can tell.
type Usage struct {
	Images     int64 // without layers that images of others share
	Containers int64 // what was written in containers
}

// DiskUsage adds up what ours takes. It can take seconds on a large engine.
func (e *Engine) DiskUsage(ctx context.Context) (Usage, error) { return Usage{}, nil }

// RemoveProbes removes the short-lived containers that a crash of an image's build left behind, and says how many.
func (e *Engine) RemoveProbes(ctx context.Context) (int, error) { return 0, nil }
