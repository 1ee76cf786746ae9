//go:build !linux

package ports

import (
	"context"
	"errors"
	"time"
)

// Elsewhere only the host's side, Follow, is of use: Monitor.Run returns ErrNoSource.

func platformSources() []OpenSource { return nil }

func platformOwners() owners { return nobody{} }

type nobody struct{}

func (nobody) ours() map[uint32]bool { return nil }

func (nobody) find([]uint32, time.Time) (map[uint32]process, bool) { return nil, true }

func (nobody) holds(process, uint32) bool { return false }

func ephemeralRange() [2]uint16 { return [2]uint16{} }

func watchCloses(context.Context, func()) error { return errors.ErrUnsupported }
