package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// openPort does the command sketch.openPort.
func (s *Server) openPort(ctx context.Context, p OpenPortParams, _ Progress) (OpenPortResult, error) {
	port, err := s.wantedPort(ctx, p)
	if err != nil {
		return OpenPortResult{}, err
	}
	if port.Status != PortForwarded {
		return OpenPortResult{}, &Error{
			Kind: KindNoPort, Message: fmt.Sprintf("port %d is not forwarded", p.Port), Hint: "Forward it with sketch.forward.",
		}
	}
	return OpenPortResult{URL: portURL(port), Port: port}, s.browse(ctx, port)
}

// wantedPort is the port that is named, or the only one that there is to open: not every client can name one.
func (s *Server) wantedPort(ctx context.Context, p OpenPortParams) (Port, error) {
	if p.Port != 0 {
		return s.cfg.Backend.Port(ctx, PortParams(p))
	}
	all, err := s.cfg.Backend.Ports(ctx, SessionParams{Session: p.Session})
	if err != nil {
		return Port{}, err
	}
	forwarded := slices.DeleteFunc(slices.Clone(all.Ports), func(port Port) bool { return port.Status != PortForwarded })
	switch len(forwarded) {
	case 0:
		return Port{}, &Error{Kind: KindNoPort, Message: "no port is forwarded", Hint: "Start a server inside, or forward a port with sketch.forward."}
	case 1:
		return forwarded[0], nil
	}
	return Port{}, &Error{Kind: KindArguments, Message: "several ports are forwarded", Hint: "Name one of " + clip(portsText(forwarded), maxToast) + "."}
}

// acts reports which actions of onAutoForward can be done in place of a toast.
func (s *Server) acts(action PortAction) bool {
	return action != ActionOpenPreview || s.editor.Load().does(ClientPreview)
}

// act opens a browser or the editor's preview because onAutoForward says so. It is called from the toaster's goroutine.
func (s *Server) act(session string, port Port) {
	if port.Action == ActionOpenPreview {
		params := PortEventNotification{Session: session, Type: PortEventPreview, Port: port}
		s.outbox.post(event{method: methodPortEvent, params: params, extension: true})
		return
	}
	ctx := s.link.ctx
	// Ends when the editor has answered, at the latest after showPatience, or with the connection.
	s.tasks.Go(func() {
		s.complain(s.contain("opening a browser", func() error { return s.browse(ctx, port) }))
	})
}

// showPatience is how long an editor may take to say that it has opened a browser (Neovim takes about 1 s). After that
// it is taken to have done so: a second browser would be worse.
const showPatience = 10 * time.Second

// browse opens a port in the user's browser: through the editor, which may be on another machine than this process, else
// here.
func (s *Server) browse(ctx context.Context, port Port) error {
	address := portURL(port)
	if address == "" {
		return &Error{Kind: KindBrowser, Message: fmt.Sprintf("port %d has no address for a browser", port.Number)}
	}
	if s.editor.Load().showDocument && s.showDocument(ctx, address) {
		return ctx.Err()
	}
	hint := "Open " + address
	if s.cfg.OpenBrowser == nil {
		return &Error{Kind: KindBrowser, Message: "no browser can be opened here", Hint: hint}
	}
	if err := s.cfg.OpenBrowser(ctx, address); err != nil {
		return &Error{Kind: KindBrowser, Message: "no browser could be opened", Hint: hint, Err: err}
	}
	return nil
}

// showDocument asks the editor to open a URL outside of itself, and reports whether it was shown, or may have been.
func (s *Server) showDocument(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, showPatience)
	defer cancel()
	external := true
	params := &protocol.ShowDocumentParams{URI: uri.URI(address), External: &external}
	var answer json.RawMessage
	_, err := s.link.conn.Call(ctx, protocol.MethodWindowShowDocument, params, &answer)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	return err == nil && decoded[bool](member(answer, "success")) // older Emacs answers null to what it does not know
}

// openRemote does the command sketch.openRemote.
func (s *Server) openRemote(ctx context.Context, p OpenRemoteParams, _ Progress) (OpenRemoteResult, error) {
	result, err := s.cfg.Backend.OpenRemote(ctx, p)
	if err == nil && p.Show && s.editor.Load().showDocument {
		result.Shown = s.showDocument(ctx, result.URI)
	}
	return result, err
}

// portURL is where a browser finds a forwarded port; empty unless that is http or https, since editors open it.
func portURL(port Port) string {
	address := port.URL
	if address == "" && port.HostPort != 0 {
		scheme := "http"
		if port.Protocol == "https" {
			scheme = "https"
		}
		address = fmt.Sprintf("%s://localhost:%d", scheme, port.HostPort)
	}
	if parsed, err := url.Parse(address); err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return ""
	}
	return address
}
