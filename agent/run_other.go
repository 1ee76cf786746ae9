//go:build !linux

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Run works inside Linux containers only; here it returns an error that wraps [errors.ErrUnsupported].
func Run(context.Context, Config, *slog.Logger) error {
	return fmt.Errorf("run agent: %w: it runs inside Linux containers", errors.ErrUnsupported)
}
