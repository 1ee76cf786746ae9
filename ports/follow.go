package ports

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// A FollowConfig says whom to follow.
type FollowConfig struct {
	// Client reaches the agent; required. Its Timeout is not used, since it would end
	// streams; redirects are not followed.
	Client  *http.Client
	BaseURL string // required, such as "http://agent"
	// PollInterval is the time between polls of a server that can neither stream nor
	// hold a request; 10 s if zero.
	PollInterval time.Duration
	Log          *slog.Logger // nil discards
}

// Follow keeps a copy of the state that a Handler serves, and delivers it whole at
// first and after each change, on the caller's goroutine; while deliver runs nothing is
// read. It streams where it can, else holds long polls, else polls; it reconnects for
// ever, with backoff, and looks again for the better way. It returns ctx's error.
//
// The server is not trusted: whatever it sends is bounded and checked, and what makes no
// sense is dropped together with the connection, leaving the delivered state as it was.
func Follow(ctx context.Context, cfg FollowConfig, deliver func(Update)) error {
	panic("unwritten")
}
