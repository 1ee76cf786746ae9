//go:build linux

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/net/netutil"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/ports"
)

// Limits of the API. Its socket is the owner's alone, so that they only contain mistakes.
const (
	maxAPIConns     = 128
	apiReadTimeout  = 10 * time.Second
	apiIdleTimeout  = 2 * time.Minute
	apiEndTimeout   = time.Second
	maxRequestBytes = 16 << 10
)

// serveAPI serves HTTP on the socket until ctx ends. Streams end with ctx too.
func (p *inside) serveAPI(ctx context.Context) error {
	server := &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: apiReadTimeout,
		// No ReadTimeout: it would cancel the requests that stream.
		IdleTimeout:    apiIdleTimeout,
		MaxHeaderBytes: maxRequestBytes,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       slog.NewLogLogger(p.log.With("part", "api").Handler(), slog.LevelWarn),
	}
	ended := make(chan struct{})
	// Ended by ctx, or below when serving fails, and waited for below.
	go func() {
		defer close(ended)
		<-ctx.Done()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiEndTimeout)
		defer cancel()
		if server.Shutdown(bounded) != nil {
			server.Close()
		}
	}()
	err := server.Serve(netutil.LimitListener(p.apiListener, maxAPIConns))
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		<-ended
		return nil
	}
	return fmt.Errorf("serve API: %w", err) // which ends ctx
}

func (p *inside) handler() http.Handler {
	mux := http.NewServeMux()
	events := ports.Handler(p.events)
	mux.Handle("/ports", events)
	mux.Handle("/port-events", events)
	mux.Handle("/git", p.git)
	mux.Handle("/git/", p.git)
	talk := conversation.Handler(p.agent.conversation, p.agent.loop)
	for _, path := range []string{"/prompt", "/cancel", "/answer", "/agent", "/conversation", "/conversation/events"} {
		mux.Handle(path, talk)
	}
	mux.HandleFunc("GET /status", p.serveStatus)
	return mux
}

func (p *inside) serveStatus(w http.ResponseWriter, r *http.Request) {
	port, _ := strconv.ParseUint(r.URL.Query().Get("port"), 10, 16) // 0, to which nobody connects, where none is asked for
	connections, sessions := p.ssh.Counts()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Status{ // an error means that the client is gone
		Session:   p.cfg.Session,
		Version:   version(),
		PID:       os.Getpid(),
		Started:   p.started,
		Uptime:    time.Since(p.started).Seconds(),
		Workspace: p.cfg.Workspace,
		Commands:  p.monitor.Commands(),
		Readers:   p.events.Readers(),
		SSH:       SSHStatus{Listen: p.sshListener.Addr().String(), Connections: connections, Sessions: sessions, Visitors: p.ssh.Visitors(uint16(port))},
	})
}

// version is the module's version as the go command stamped it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
