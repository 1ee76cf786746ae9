package main

import (
	"errors"
	"net"
	"strconv"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// wireSession is a session as an editor sees it.
func wireSession(i session.Info) jsonrpc.Session {
	s := jsonrpc.Session{
		Name: i.Name, Folder: i.Folder, State: jsonrpc.SessionState(i.State), Attempt: i.Attempt, Container: i.Container, Image: i.Image,
		Workspace: i.Workspace, Branch: i.Branch, Commit: i.Commit, SSH: sshArguments(i), Owner: i.Owner, Created: i.Created,
	}
	if i.Err != nil {
		s.Error = explain(i.Err).Data()
	}
	s.Remote = remoteLine(i.Remote)
	if stopped, ok := errors.AsType[*session.StoppedError](i.Err); ok {
		s.ExitCode = &stopped.ExitCode
	}
	return s
}

// remoteLine says what there is to know of a window that is attached by Remote-SSH; nothing where none is.
func remoteLine(r session.RemoteWindow) string {
	switch {
	case r.Editor == "":
		return ""
	case r.Forwards:
		return "A window of " + r.Editor + " is attached by Remote-SSH and forwards ports itself; no toasts are shown here."
	}
	return "A window of " + r.Editor + " is attached by Remote-SSH; the ports are forwarded here."
}

// sshArguments is what to type after ssh to enter a session.
func sshArguments(i session.Info) string {
	if i.SSHConfig == "" {
		return ""
	}
	return quoteWords([]string{"-F", i.SSHConfig, i.Name})
}

func wireSessions(list []session.Info) []jsonrpc.Session {
	sessions := make([]jsonrpc.Session, len(list))
	for n, i := range list {
		sessions[n] = wireSession(i)
	}
	return sessions
}

// wirePort is a port as an editor sees it.
func wirePort(f tunnel.Forward) jsonrpc.Port {
	p := jsonrpc.Port{
		Number: int(f.Port), HostPort: int(f.HostPort), URL: f.URL(), Status: jsonrpc.PortStatus(f.Status), Reason: f.Reason, Label: portLabel(f),
		Process: f.Process, PID: f.PID, Protocol: f.Protocol, Action: jsonrpc.PortAction(f.Action), Addresses: []string{}, Generation: f.Opened,
	}
	if f.Err != nil {
		p.Reason = explain(f.Err).Message
	}
	for _, a := range f.Addresses {
		p.Addresses = append(p.Addresses, a.String())
	}
	return p
}

// portLabel is what people call a port; one on another host that they have no name for goes by its address.
func portLabel(f tunnel.Forward) string {
	if f.Label == "" && f.Host != "" {
		return net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port)))
	}
	return f.Label
}

func wirePorts(forwards []tunnel.Forward) []jsonrpc.Port {
	ports := make([]jsonrpc.Port, len(forwards))
	for n, f := range forwards {
		ports[n] = wirePort(f)
	}
	return ports
}

// wireBranch is the branch of a session as an editor sees it.
func wireBranch(name string, b session.Branch) jsonrpc.Branch {
	branch := jsonrpc.Branch{
		Session: name, Name: b.Name, Exists: b.Exists, Commit: b.Commit, Subject: b.Subject, Base: b.Base, BaseBranch: b.BaseBranch,
		Ahead: b.Ahead, Behind: b.Behind, Updated: b.Updated, OthersLeft: b.OthersLeft, Detached: b.Detached,
	}
	for _, o := range b.Others {
		other := jsonrpc.OtherBranch{Inside: o.Inside, Name: o.Name, Commit: o.Commit, Ahead: o.Ahead}
		if o.Err != nil {
			other.Error = explain(o.Err).Data()
		}
		branch.Others = append(branch.Others, other)
	}
	if b.Err != nil {
		branch.Error = explain(b.Err).Data()
	}
	return branch
}
