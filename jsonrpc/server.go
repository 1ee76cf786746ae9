package jsonrpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
)

// ServerConfig configures a [Server].
type ServerConfig struct {
	Backend     Backend                                     // required
	Log         *slog.Logger                                // nil discards
	Version     string                                      // told to the editor
	OpenBrowser func(ctx context.Context, url string) error // opens a browser on the host; nil: none can be opened
}

// Server serves one editor window.
type Server struct {
	cfg ServerConfig
}

// Level is how serious a message to the user is; the values are the MessageType of the LSP specification.
type Level int

// The levels.
const (
	LevelError   Level = 1
	LevelWarning Level = 2
	LevelInfo    Level = 3
	LevelLog     Level = 4
)

// NewServer returns a server; it starts nothing.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{cfg: cfg}
}

// Serve speaks with the editor on rw until it is gone, and closes rw. It returns the exit code that the process should
// end with (0 only after a shutdown request), and why the connection broke, if it did. It must be called once.
func (s *Server) Serve(ctx context.Context, rw io.ReadWriteCloser) (exitCode int, err error) {
	return 1, errors.Join(ctx.Err(), rw.Close())
}

// SessionChanged tells the editor the full state of a session. It never blocks and may be called from any goroutine,
// also before Serve: an editor that reads slowly gets the latest state.
func (s *Server) SessionChanged(session Session) { _ = session }

// PortsChanged tells the editor the full state of a session's ports; owner says that this window owns the session and
// therefore shows the toasts. It never blocks and may be called from any goroutine, also before Serve.
func (s *Server) PortsChanged(session string, owner bool, ports []Port) {
	_, _, _ = session, owner, ports
}

// Message tells the user something: errors and warnings and information as a message, LevelLog into the editor's log.
// It never blocks and may be called from any goroutine, also before Serve.
func (s *Server) Message(level Level, text string) { _, _ = level, text }
