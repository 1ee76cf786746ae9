package repo

import (
	"context"
	"errors"
)

// Open reads the repository that dir belongs to. dir may be any folder of a working tree.
//
// What is wrong with dir is an [*OpenError] around one of this package's sentinels.
func Open(ctx context.Context, dir string) (*Repo, error) { return nil, errors.Join(ctx.Err(), ErrNotRepository) }
