package acp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// commands are what a prompt that begins with a slash does, without the agent.
var commands = []availableCommand{
	{"ports", "List the ports that are forwarded to this machine"},
	{"ssh", "Tell how to enter the container"},
	{"branch", "Tell which branch the commits come back as"},
}

// welcome says what there is beside the conversation.
func (x *session) welcome(ctx context.Context, p sessionRequest) {
	x.server.update(ctx, x.name, commandsUpdate{Update: "available_commands_update", Commands: commands})
	if len(p.MCPServers) > 0 {
		x.remark("The editor's MCP servers are on this machine, which the container cannot reach: name those for the agent in the setting mcpServers.")
	}
}

// command does a command; done is false for what is none of ours.
func (x *session) command(ctx context.Context, name string) (done bool, err error) {
	var text string
	switch strings.TrimSpace(name) {
	case "ports":
		text, err = x.listPorts(ctx)
	case "ssh":
		var ssh jsonrpc.SSHResult
		ssh, err = x.server.cfg.Backend.SSH(ctx, jsonrpc.SessionParams{Session: x.name})
		text = "`" + ssh.Command + "`"
	case "branch":
		text = x.describeBranch()
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	x.server.update(ctx, x.name, chunk{Update: "agent_message_chunk", Content: contentBlock{Type: "text", Text: text}})
	return true, nil
}

func (x *session) listPorts(ctx context.Context) (string, error) {
	result, err := x.server.cfg.Backend.Ports(ctx, jsonrpc.SessionParams{Session: x.name})
	if err != nil {
		return "", err
	}
	var lines []string
	for _, port := range result.Ports {
		line := fmt.Sprintf("- %d: %s", port.Number, port.Status)
		if port.URL != "" {
			line = fmt.Sprintf("- %d: %s", port.Number, port.URL)
		}
		if port.Process != "" {
			line += " (" + port.Process + ")"
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return "No ports are open.", nil
	}
	return strings.Join(lines, "\n"), nil
}

func (x *session) describeBranch() string {
	x.mu.Lock()
	branch := x.branch
	x.mu.Unlock()
	lines := []string{"Nothing was committed yet."}
	if branch.Exists {
		lines[0] = fmt.Sprintf("- %s: %s since %.10s, the latest: %s", branch.Name, plural(branch.Ahead, "commit"), branch.Base, branch.Subject)
	}
	for _, other := range branch.Others {
		if other.Name != "" {
			lines = append(lines, fmt.Sprintf("- %s (`%s` inside)", other.Name, strings.ReplaceAll(other.Inside, "`", "'")))
		}
	}
	if branch.Error != nil {
		lines = append(lines, "", branch.Error.Message+". "+branch.Error.Hint)
	}
	return strings.Join(lines, "\n")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// tellPorts sends the ports to clients that know us, and says to all which are newly forwarded.
func (x *session) tellPorts(ctx context.Context, ports []jsonrpc.Port) {
	x.server.extension(ctx, "_sketch/ports", jsonrpc.PortsNotification{Session: x.name, Ports: ports})
	var news []jsonrpc.Port
	told := map[int]int{}
	for _, port := range ports {
		if port.Status != jsonrpc.PortForwarded && port.Status != jsonrpc.PortClosed {
			continue
		}
		told[port.Number] = port.HostPort
		if x.ports[port.Number] != port.HostPort && port.Action != jsonrpc.ActionSilent && port.Status == jsonrpc.PortForwarded {
			news = append(news, port)
		}
	}
	x.ports = told
	for _, port := range news {
		x.remark(jsonrpc.ToastText([]jsonrpc.Port{port}) + ": " + port.URL)
	}
}

// tellBranch sends the branch to clients that know us, and says to all what has arrived.
func (x *session) tellBranch(ctx context.Context, branch jsonrpc.Branch) {
	x.server.extension(ctx, "_sketch/branch", branch)
	x.mu.Lock()
	last := x.branch
	x.branch = branch
	x.mu.Unlock()
	if branch.Exists && branch.Commit != last.Commit {
		x.remark(fmt.Sprintf("%s is on this machine now, %s: %s", branch.Name, plural(branch.Ahead, "commit"), branch.Subject))
	}
	for _, other := range branch.Others {
		told := slices.ContainsFunc(last.Others, func(known jsonrpc.OtherBranch) bool {
			return known.Inside == other.Inside && known.Commit == other.Commit
		})
		if other.Commit != "" && !told {
			x.remark(fmt.Sprintf("%s is on this machine now, at %.10s", other.Name, other.Commit))
		}
	}
}

// maxRemarks is how many remarks wait for a turn; then the oldest is dropped.
const maxRemarks = 20

// remark says something beside the conversation, in the turn that runs or at the beginning of the next one: between turns, editors show nothing.
func (x *session) remark(text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.remarks) == maxRemarks {
		x.remarks = x.remarks[1:]
	}
	x.remarks = append(x.remarks, text)
}

func (x *session) flushRemarks(ctx context.Context) {
	x.mu.Lock()
	var remarks []string
	if x.prompting > 0 {
		remarks, x.remarks = x.remarks, nil
	}
	x.mu.Unlock()
	for _, text := range remarks {
		x.server.update(ctx, x.name, chunk{Update: "agent_message_chunk", Content: contentBlock{Type: "text", Text: "\n\n> " + text + "\n\n"}})
	}
}
