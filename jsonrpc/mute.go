package jsonrpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"go.lsp.dev/protocol"
)

// say tells the user of an editor that shows neither a command's answer nor its error what became of the command. It
// returns when that was sent, so that the answer always comes after it.
func (s *Server) say(result any, err error) {
	if !s.editor.Load().mute() || errors.Is(err, context.Canceled) {
		return
	}
	params := protocol.ShowMessageParams{Type: protocol.MessageType(LevelError)}
	if err != nil {
		params.Message = clip(plainText(personText(err)), maxMessage)
	} else {
		params.Type = protocol.MessageType(LevelInfo)
		params.Message = clip(plainText(resultText(result)), maxMessage)
	}
	sent := make(chan struct{})
	s.outbox.post(event{method: protocol.MethodWindowShowMessage, params: &params, sent: func() { close(sent) }})
	select {
	case <-sent:
	case <-s.link.ctx.Done():
	}
}

// resultText says in a line what a command has answered, where a line can.
func resultText(result any) string {
	switch r := result.(type) {
	case Session:
		return r.Name + " is ready"
	case SessionsResult:
		return sessionsText(r.Sessions)
	case PortsResult:
		return portsText(r.Ports)
	case Port:
		return portsText([]Port{r})
	case OpenPortResult:
		return r.URL
	case SSHResult:
		return r.Command
	case DiffResult:
		return diffText(r)
	case MergeResult:
		return mergeText(r)
	case Status:
		return fmt.Sprintf("sketch-ide %s, %s. %s", r.Version, cmp.Or(r.Engine, "no engine"), sessionsText(r.Sessions))
	case DoctorResult:
		return doctorText(r)
	}
	return "done"
}

func sessionsText(sessions []Session) string {
	var texts []string
	for _, session := range sessions {
		texts = append(texts, fmt.Sprintf("%s (%s)", session.Name, session.State))
	}
	return cmp.Or(strings.Join(texts, ", "), "no sessions")
}

func portsText(ports []Port) string {
	var texts []string
	for _, port := range ports {
		text := fmt.Sprint(port.Number)
		if mapped(port) {
			text += fmt.Sprintf(" → %d", port.HostPort)
		}
		if name := cmp.Or(port.Label, port.Process); name != "" {
			text += fmt.Sprintf(" (%s)", clip(plainText(name), maxToastName))
		}
		if port.Status != PortForwarded {
			text += " " + string(port.Status)
		}
		texts = append(texts, text)
	}
	return cmp.Or(strings.Join(texts, ", "), "no ports are open")
}

func diffText(r DiffResult) string {
	var paths []string
	for _, file := range r.Files {
		paths = append(paths, file.Path)
	}
	return fmt.Sprintf("%s: %s", r.Branch, cmp.Or(strings.Join(paths, ", "), "no changes"))
}

func mergeText(r MergeResult) string {
	if !r.Done && len(r.Conflicts) > 0 {
		return fmt.Sprintf("%s would conflict in %s", r.Branch, strings.Join(r.Conflicts, ", "))
	}
	return fmt.Sprintf("%s of %s: %s now has its commits (%d)", r.How, r.Branch, r.Into, r.Commits)
}

func doctorText(r DoctorResult) string {
	var texts []string
	for _, check := range r.Checks {
		if !check.OK {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s: %s. %s", check.Name, check.Detail, check.Hint)))
		}
	}
	return cmp.Or(strings.Join(texts, " "), "everything that sketch-ide needs is here")
}
