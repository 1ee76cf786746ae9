package main

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/sshconfig"
)

// OpenRemote says how to open a session's folder over SSH.
func (b *backend) OpenRemote(ctx context.Context, p jsonrpc.OpenRemoteParams) (jsonrpc.OpenRemoteResult, error) {
	info, err := b.find(ctx, p.Session)
	if err != nil {
		return jsonrpc.OpenRemoteResult{}, err
	}
	folder := path.Clean(cmp.Or(p.Path, info.Workspace))
	if !path.IsAbs(folder) {
		return jsonrpc.OpenRemoteResult{}, &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: "the path is not absolute", Hint: "Name a path inside, such as " + info.Workspace}
	}
	status, err := b.options.sshConfig(ctx, jsonrpc.SSHConfigParams{})
	if err != nil {
		return jsonrpc.OpenRemoteResult{}, explain(err)
	}
	uri := url.URL{Scheme: "vscode-remote", Host: "ssh-remote+" + info.Name, Path: folder}
	return jsonrpc.OpenRemoteResult{
		URI: uri.String(), Host: info.Name, Workspace: info.Workspace, Included: status.Installed, Note: b.remoteNote(ctx, info, status),
	}, nil
}

// remoteNote is the most important thing to know before the window opens.
func (b *backend) remoteNote(ctx context.Context, info session.Info, status sshconfig.Status) string {
	if !status.Installed {
		return "Remote-SSH finds " + info.Name + " once this is the first line of " + status.File + ": " + status.Line + " (sketch.sshConfig adds it)"
	}
	if yields, err := b.sup.PrepareRemote(ctx, info.Name); err != nil || !yields {
		return "Such a window forwards ports too, by other numbers; set remote.autoForwardPorts to false in it to have each only once."
	}
	return "Ports stay forwarded by sketch-ide; the window's own forwarding is off (remote.autoForwardPorts)."
}

// SSHConfig looks at the user's SSH configuration, or changes the one line in it.
func (b *backend) SSHConfig(ctx context.Context, p jsonrpc.SSHConfigParams) (jsonrpc.SSHConfigResult, error) {
	status, err := b.options.sshConfig(ctx, p)
	if err != nil {
		return jsonrpc.SSHConfigResult{}, explain(err)
	}
	return wireSSHConfig(status), nil
}

func wireSSHConfig(s sshconfig.Status) jsonrpc.SSHConfigResult {
	return jsonrpc.SSHConfigResult{Installed: s.Installed, File: s.File, Line: s.Line, Changed: s.Changed}
}

// sshConfigEnv names the user's SSH configuration where it is not ~/.ssh/config.
const sshConfigEnv = "SKETCH_IDE_SSH_CONFIG"

func (o *options) sshConfig(ctx context.Context, p jsonrpc.SSHConfigParams) (sshconfig.Status, error) {
	do := sshconfig.User.Status
	switch p.Action {
	case "", jsonrpc.SSHConfigStatus:
	case jsonrpc.SSHConfigInstall:
		do = sshconfig.User.Install
	case jsonrpc.SSHConfigRemove:
		do = sshconfig.User.Remove
	default:
		return sshconfig.Status{}, &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: "unknown action " + string(p.Action), Hint: "It is status, install or remove."}
	}
	store, err := o.store()
	if err != nil {
		return sshconfig.Status{}, err
	}
	return store.SSHInclude(ctx, cmp.Or(p.File, os.Getenv(sshConfigEnv)), do)
}

// The answers to the one question.
const (
	addLine = "Add the Line"
	notNow  = "No, Thanks"
)

// offerSSH asks once, and never again whatever the answer, whether ssh and Remote-SSH should know the sessions.
func (b *backend) offerSSH(info session.Info) {
	b.server.Offer(jsonrpc.Offer{
		Text:    "Let `ssh " + info.Name + "` and Remote-SSH find this session? That takes one Include line in your SSH configuration.",
		Choices: []string{addLine, notNow},
		Wanted:  b.wantsOffer,
		Chosen: func(ctx context.Context, choice string) error {
			if choice != addLine {
				return nil
			}
			status, err := b.options.sshConfig(ctx, jsonrpc.SSHConfigParams{Action: jsonrpc.SSHConfigInstall})
			if err != nil {
				return explain(err)
			}
			b.server.Message(jsonrpc.LevelInfo, "Added to "+status.File+": "+status.Line)
			return nil
		},
	})
}

// wantsOffer reports whether the question makes sense here and was never asked.
func (b *backend) wantsOffer(ctx context.Context) bool {
	if _, err := exec.LookPath("ssh"); err != nil || !b.asks() {
		return false
	}
	status, err := b.options.sshConfig(ctx, jsonrpc.SSHConfigParams{})
	if err != nil || status.Installed {
		return false
	}
	store, err := b.options.store()
	if err != nil {
		return false
	}
	first, err := store.FirstTime()
	return err == nil && first
}

// asks is the setting sshConfig.
func (b *backend) asks() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.quiet
}

// explainSSHConfig is the part of explain about the user's SSH configuration.
func explainSSHConfig(err error) *jsonrpc.Error {
	e, ok := errors.AsType[*sshconfig.Error](err)
	if !ok {
		return nil
	}
	return &jsonrpc.Error{Kind: jsonrpc.KindSSHConfig, Message: e.Error(), Hint: "Nothing was changed. Edit the file by hand; the line is: " + e.Line}
}
