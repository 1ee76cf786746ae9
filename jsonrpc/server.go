package jsonrpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.lsp.dev/jsonrpc2"
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
	cfg      ServerConfig
	commands map[string]command
	outbox   *outbox
	toaster  *toaster
	news     *sessionNews
	agents   *agentNews
	link     link                   // set by Serve before its goroutines start
	stage    lifecycle              // where the LSP lifecycle stands
	ready    chan struct{}          // closed by open: the editor may be told things
	open     func()                 // closes ready; may be called again
	editor   atomic.Pointer[editor] // set by initialize
	requests *cancels               // running requests, by id
	tokens   *cancels               // running progress, by token
	asked    pendingToasts
	tasks    sync.WaitGroup // goroutines of unanswered toasts and of opening browsers

	mu      sync.Mutex
	folders []string          // guarded by mu: where sessions start
	wish    NotificationStyle // guarded by mu: the setting `notifications`, if any
	known   map[string][]Port // guarded by mu: ports as last told, by session
}

// link is the connection to the editor. Its context ends when Serve does, with the reason as its cause.
type link struct {
	ctx  context.Context
	end  context.CancelCauseFunc
	conn jsonrpc2.Conn
}

// How long Serve takes at its end, at most: an editor gives a server about two seconds to go.
const (
	flushPatience  = time.Second     // for an editor that reads slowly
	detachPatience = 5 * time.Second // for the backend, and for requests that were cancelled
)

// NewServer returns a server; it starts nothing.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg: cfg, commands: make(map[string]command), outbox: newOutbox(), ready: make(chan struct{}),
		requests: newCancels(maxInFlight), tokens: newCancels(maxInFlight), known: make(map[string][]Port),
	}
	s.open = sync.OnceFunc(func() { close(s.ready) })
	for _, c := range commands() {
		s.commands[c.name] = c
	}
	s.agents = newAgentNews()
	s.news = newSessionNews(s.Message, func(text string) { s.Message(LevelLog, text) })
	s.toaster = newToaster(toasterConfig{Tell: s.showToast, Act: s.act, Acts: s.acts})
	return s
}

// Serve speaks with the editor on rw until it is gone, and closes rw. It returns the exit code that the process should
// end with (0 only after a shutdown request), and why the connection broke, if it did. It must be called once.
func (s *Server) Serve(ctx context.Context, rw io.ReadWriteCloser) (exitCode int, err error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	out := newFrameWriter(rw)
	in := &stream{in: newFrameReader(rw), out: out, log: s.cfg.Log, end: end}
	s.link = link{ctx: ctx, end: end, conn: jsonrpc2.NewConn(in, jsonrpc2.WithCodec(codec{}))}

	// All of these end with ctx, the writer and the reader when rw is closed; finish waits for them.
	s.tasks.Go(func() { s.courier(ctx) })
	s.tasks.Go(func() { s.runToaster(ctx) })
	s.tasks.Go(func() { s.runAgentNews(ctx) })
	s.tasks.Go(func() {
		if err := out.run(); err != nil {
			end(err)
		}
	})
	s.link.conn.Go(ctx, s.handle)

	<-ctx.Done()
	s.finish(out, rw)
	return s.stage.exitCode(), s.explain(context.Cause(ctx))
}

// finish writes what is queued, closes the connection, detaches the backend and waits for every goroutine.
func (s *Server) finish(out *frameWriter, rw io.Closer) {
	s.news.close()
	out.finish(flushPatience)
	if err := rw.Close(); err != nil {
		s.cfg.Log.Debug("close connection", "err", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.link.ctx), detachPatience)
	defer cancel()
	if err := s.contain("detach", func() error { return s.cfg.Backend.Close(ctx) }); err != nil {
		s.cfg.Log.Warn("detach", "err", err)
	}
	ended := make(chan struct{})
	// Ends when the last goroutine does; finish waits for it, unless a backend breaks its promise to heed its context.
	go func() {
		<-s.link.conn.Done()
		s.tasks.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.cfg.Log.Error("requests did not end when cancelled", "running", s.requests.size())
	}
}

// explain returns why the connection ended if that is a fault, for the caller to tell; what is none is only logged.
func (s *Server) explain(cause error) error {
	switch {
	case errors.Is(cause, errExit), errors.Is(cause, io.EOF), errors.Is(cause, errEditorDied), errors.Is(cause, context.Canceled):
		s.cfg.Log.Info("editor gone", "reason", cause)
		return nil
	}
	return cause
}
