package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/sketch-ide/sketch-ide/acp"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// backend answers an editor's requests with the sessions of this machine. The window's session is the one that it started last.
type backend struct {
	options *options
	server  listener
	sup     *session.Supervisor
	user    settingsFlag // names the user's own settings

	mu     sync.Mutex // guards the fields below
	window string     // name of the window's session
	quiet  bool       // the setting sshConfig says that nothing is asked about it
	wrong  string     // what was last told to be wrong with the settings
}

// listener is the editor's side, which hears what happens: [jsonrpc.Server] or [acp.Server]. Nothing in it blocks.
type listener interface {
	SessionChanged(session jsonrpc.Session)
	PortsChanged(session string, owner bool, ports []jsonrpc.Port)
	BranchChanged(branch jsonrpc.Branch)
	AgentChanged(status jsonrpc.AgentStatus)
	MessageChanged(session string, message jsonrpc.Message)
	Message(level jsonrpc.Level, text string)
	Offer(o jsonrpc.Offer)
}

var (
	_ listener         = (*jsonrpc.Server)(nil)
	_ listener         = (*acp.Server)(nil)
	_ acp.Backend      = (*backend)(nil)
	_ jsonrpc.Backend  = (*backend)(nil)
	_ session.Observer = (*backend)(nil)
)

// SessionChanged passes on what the supervisor says.
func (b *backend) SessionChanged(i session.Info) { b.server.SessionChanged(wireSession(i)) }

// PortsChanged passes on what the supervisor says.
func (b *backend) PortsChanged(i session.Info) {
	b.server.PortsChanged(i.Name, i.Owner, wirePorts(i.Forwards))
}

// BranchChanged passes on what the supervisor says.
func (b *backend) BranchChanged(name string, branch session.Branch) {
	b.server.BranchChanged(wireBranch(name, branch))
}

// Problem shows the user what the supervisor says.
func (b *backend) Problem(_ string, err error) {
	e := explain(err)
	b.server.Message(jsonrpc.LevelWarning, sentences(e.Message, e.Hint))
}

// Configure takes the editor's settings, which stand over the user's own file. What is wrong with one setting is told, and
// not again as long as it stays; the others are used.
func (b *backend) Configure(data json.RawMessage, usersOwn bool) error {
	settings := b.user.decodeEditor(data, usersOwn)
	wrong := ""
	if err := errors.Join(settings.wrong...); err != nil {
		wrong = err.Error()
	}
	b.mu.Lock()
	known := wrong == b.wrong
	b.quiet, b.wrong = !settings.ask, wrong
	b.mu.Unlock()
	b.sup.Configure(settings.Settings)
	for _, err := range settings.wrong {
		if !known {
			e := explain(err)
			b.server.Message(jsonrpc.LevelWarning, sentences(e.Message, e.Hint))
		}
	}
	return nil
}

// Start starts or finds the folder's session, and makes it the window's.
func (b *backend) Start(ctx context.Context, p jsonrpc.StartParams, progress jsonrpc.Progress) (jsonrpc.Session, error) {
	if p.Folder == "" {
		return jsonrpc.Session{}, &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: "no folder is open", Hint: "Open a folder of a git repository first."}
	}
	report := func(p session.Progress) { progress.Report(p.Message, p.Percent) }
	if p.Session != "" { // one that was named is not made: its name may be all that is left of it
		if _, err := b.find(ctx, p.Session); err != nil {
			return jsonrpc.Session{}, err
		}
	}
	info, err := b.sup.Start(ctx, session.StartOptions{Folder: p.Folder, Name: p.Session, New: p.New, Rebuild: p.Rebuild}, report)
	if err != nil {
		return jsonrpc.Session{}, explain(err)
	}
	b.setWindow(info.Name)
	b.offerSSH(info)
	return wireSession(info), nil
}

func (b *backend) setWindow(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.window = name
}

// named is the session that a request means: the named one, or the window's.
func (b *backend) named(name string) string {
	if name != "" {
		return name
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.window
}

// Stop removes the session.
func (b *backend) Stop(ctx context.Context, p jsonrpc.SessionParams) error {
	// Removing is for the session that is named, or this window's: never for one that merely is the only one.
	name := b.named(p.Session)
	if name == "" {
		return explain(&session.NotFoundError{})
	}
	if err := b.sup.Remove(ctx, name); err != nil {
		return explain(err)
	}
	return nil
}

// Sessions lists the machine's sessions.
func (b *backend) Sessions(ctx context.Context) ([]jsonrpc.Session, error) {
	list, err := b.sup.Sessions(ctx)
	if err != nil {
		return nil, explain(err)
	}
	return wireSessions(list), nil
}

func (b *backend) find(ctx context.Context, name string) (session.Info, error) {
	name = b.named(name)
	if info, err := b.sup.Info(name); err == nil {
		return info, nil
	}
	info, err := b.sup.Find(ctx, name, "")
	if err != nil {
		return session.Info{}, explain(err)
	}
	return info, nil
}

// Ports returns a session's ports.
func (b *backend) Ports(ctx context.Context, p jsonrpc.SessionParams) (jsonrpc.PortsResult, error) {
	info, err := b.find(ctx, p.Session)
	if err != nil {
		return jsonrpc.PortsResult{}, err
	}
	return jsonrpc.PortsResult{Session: info.Name, Ports: wirePorts(info.Forwards)}, nil
}

// Port returns one port of a session.
func (b *backend) Port(ctx context.Context, p jsonrpc.PortParams) (jsonrpc.Port, error) {
	info, err := b.find(ctx, p.Session)
	if err != nil {
		return jsonrpc.Port{}, err
	}
	for _, f := range info.Forwards {
		if int(f.Port) == p.Port {
			return wirePort(f), nil
		}
	}
	return jsonrpc.Port{}, &jsonrpc.Error{
		Kind: jsonrpc.KindNoPort, Message: fmt.Sprintf("port %d is not open in %s", p.Port, info.Name),
		Hint: "Start the server inside, or look at the open ports.",
	}
}

// Forward forwards a port by hand.
func (b *backend) Forward(ctx context.Context, p jsonrpc.ForwardParams) (jsonrpc.Port, error) {
	port, host, err := forwardNumbers(p)
	if err != nil {
		return jsonrpc.Port{}, err
	}
	f, err := b.sup.Forward(ctx, b.named(p.Session), port, host)
	if err != nil {
		return jsonrpc.Port{}, explain(err)
	}
	return wirePort(f), nil
}

func forwardNumbers(p jsonrpc.ForwardParams) (port, host uint16, err error) {
	if p.Port < 1 || p.Port > 65535 || p.HostPort < 0 || p.HostPort > 65535 {
		return 0, 0, &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: fmt.Sprintf("port %d to %d: not port numbers", p.Port, p.HostPort), Hint: "Ports are 1 to 65535."}
	}
	return uint16(p.Port), uint16(p.HostPort), nil
}

// Unforward stops forwarding a port.
func (b *backend) Unforward(ctx context.Context, p jsonrpc.PortParams) error {
	port, _, err := forwardNumbers(jsonrpc.ForwardParams{Port: p.Port})
	if err != nil {
		return err
	}
	if err := b.sup.Unforward(ctx, b.named(p.Session), port); err != nil {
		return explain(err)
	}
	return nil
}

// Status is everything at a glance; without an engine it still says the version and why.
func (b *backend) Status(ctx context.Context) (jsonrpc.Status, error) {
	list, err := b.sup.Sessions(ctx)
	if err != nil {
		return jsonrpc.Status{}, explain(err)
	}
	status := jsonrpc.Status{Version: versionInfo().Version, Sessions: wireSessions(list), Ports: []jsonrpc.Port{}, Engine: b.options.engineName(ctx)}
	if info, err := b.sup.Info(b.named("")); err == nil {
		status.Ports = wirePorts(info.Forwards)
	}
	return status, nil
}

// Doctor checks the machine.
func (b *backend) Doctor(ctx context.Context) (jsonrpc.DoctorResult, error) {
	return b.options.examine(ctx), nil
}

// SSH says how to enter a session.
func (b *backend) SSH(ctx context.Context, p jsonrpc.SessionParams) (jsonrpc.SSHResult, error) {
	info, err := b.find(ctx, p.Session)
	if err != nil {
		return jsonrpc.SSHResult{}, err
	}
	store, err := b.options.store()
	if err != nil {
		return jsonrpc.SSHResult{}, explain(err)
	}
	files, err := store.SSH(info.Name)
	if err != nil {
		return jsonrpc.SSHResult{}, explain(err)
	}
	return jsonrpc.SSHResult{
		Host: files.Alias, Config: files.Config, Workspace: info.Workspace, Command: quoteWords(sshArgs(files, nil)),
	}, nil
}

// Logs returns the tail of what the agent wrote.
func (b *backend) Logs(ctx context.Context, p jsonrpc.LogsParams) (jsonrpc.LogsResult, error) {
	info, err := b.find(ctx, p.Session)
	if err != nil {
		return jsonrpc.LogsResult{}, err
	}
	lines := p.Lines
	if lines <= 0 {
		lines = defaultLogLines
	}
	text, err := b.sup.Logs(ctx, info.Name, lines)
	if err != nil {
		return jsonrpc.LogsResult{}, explain(err)
	}
	return jsonrpc.LogsResult{Session: info.Name, Lines: splitLines(text)}, nil
}

// Prune removes what earlier sessions left.
func (b *backend) Prune(ctx context.Context, p jsonrpc.PruneParams) (jsonrpc.PruneResult, error) {
	options := session.PruneOptions{DryRun: p.DryRun, All: p.All, KeepImages: p.KeepImages, Branches: p.Branches, Orphans: p.Orphans}
	if p.Older != "" {
		var err error
		if options.Older, err = parseAge(p.Older); err != nil {
			return jsonrpc.PruneResult{}, &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: err.Error(), Hint: "Such as 7d or 12h30m."}
		}
	}
	removed, err := b.sup.Prune(ctx, options)
	if err != nil {
		return jsonrpc.PruneResult{}, explain(err)
	}
	return pruneResult(removed), nil
}

// Close has nothing to do: the supervisor, which detaches, ends right after the server.
func (b *backend) Close(context.Context) error { return nil }
