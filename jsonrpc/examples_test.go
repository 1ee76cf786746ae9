package jsonrpc

import "time"

// example is a request and its answer, as the reference shows them.
type example struct {
	params any // nil: no argument
	result any
}

func examples() map[string]example {
	return map[string]example{
		"sketch.start":     {StartParams{Folder: "/home/ada/shop"}, exampleSession()},
		"sketch.stop":      {SessionParams{Session: "sketch-brave-otter"}, nil},
		"sketch.sessions":  {nil, SessionsResult{Sessions: []Session{exampleSession()}}},
		"sketch.ports":     {SessionParams{}, PortsResult{Session: "sketch-brave-otter", Ports: []Port{examplePort()}}},
		"sketch.openPort":  {OpenPortParams{Port: 3000}, OpenPortResult{URL: "http://localhost:3001", Port: examplePort()}},
		"sketch.forward":   {ForwardParams{Port: 3000, HostPort: 3001}, examplePort()},
		"sketch.unforward": {PortParams{Port: 3000}, nil},
		"sketch.status": {nil, Status{
			Version: "0.1.0", Engine: "Docker 28.5.2",
			Sessions: []Session{exampleSession()}, Ports: []Port{examplePort()},
		}},
		"sketch.doctor": {nil, DoctorResult{OK: false, Checks: []DoctorCheck{
			{Name: "Docker engine", OK: false, Detail: "no Docker engine answers", Hint: "Start Docker (Docker Desktop, Colima or `sudo systemctl start docker`) and try again. Tried unix:///var/run/docker.sock."},
		}}},
		"sketch.ssh": {SessionParams{}, SSHResult{
			Host: "sketch-brave-otter", Command: "ssh " + exampleSession().SSH, Config: exampleConfig, Workspace: "/workspaces/shop",
		}},
		"sketch.prune": {PruneParams{DryRun: true}, PruneResult{Removed: []string{"session sketch-calm-heron", "image sketch-ide/shop:1f9c"}, Bytes: 52428800}},
		"sketch.logs": {LogsParams{Lines: 1}, LogsResult{
			Session: "sketch-brave-otter", Lines: []string{
				"time=2026-01-02T10:00:00.000Z level=WARN msg=\"reading the socket table fails; ports stay as they were\" err=\"permission denied\"",
			},
		}},
		"sketch.diff": {DiffParams{Path: "login.go"}, DiffResult{
			Session: "sketch-brave-otter", Branch: "sketch/brave-otter", Base: "9fceb02", Head: "c0ffee1", Files: []DiffFile{{
				Path: "login.go", Status: FileModified, Added: 1, Deleted: 1, Hunks: []DiffHunk{{
					OldStart: 12, OldLines: 1, NewStart: 12, NewLines: 1, Header: "func login()", Lines: []string{"-\treturn nil", "+\treturn err"},
				}},
			}},
		}},
		"sketch.file": {FileParams{Path: "login.go", Version: VersionBase}, FileResult{Exists: true, Content: "package shop\n"}},
		"sketch.comment": {CommentParams{Path: "login.go", Line: 12, Text: "Wrap this error."}, CommentsResult{
			Session: "sketch-brave-otter", Comments: []Comment{{ID: "1", Path: "login.go", Line: 12, Side: SideNew, Text: "Wrap this error."}},
		}},
		"sketch.merge": {MergeParams{How: MergeSquash, DryRun: true}, MergeResult{
			Session: "sketch-brave-otter", Branch: "sketch/brave-otter", Into: "main", How: MergeSquash, Commits: 3, Conflicts: []string{"login.go"},
		}},
		"sketch.openRemote": {OpenRemoteParams{}, OpenRemoteResult{
			URI: "vscode-remote://ssh-remote+sketch-brave-otter/workspaces/shop", Host: "sketch-brave-otter", Workspace: "/workspaces/shop", Included: true,
		}},
		"sketch.sshConfig": {SSHConfigParams{Action: SSHConfigInstall}, SSHConfigResult{
			Installed: true, File: "/home/ada/.ssh/config", Line: "Include /home/ada/.local/state/sketch-ide/ssh_config", Changed: true,
		}},
		"sketch.prompt": {
			PromptParams{Text: "Fix the failing test.", Context: []PromptContext{{Path: "login_test.go", StartLine: 20, EndLine: 31}}},
			PromptResult{Session: "sketch-brave-otter", ID: "m1", Turn: 1},
		},
		"sketch.cancel": {CancelParams{}, nil},
		"sketch.answer": {AnswerParams{ID: "m7", Answer: "PostgreSQL"}, nil},
		"sketch.conversation": {ConversationParams{Limit: 2}, ConversationResult{
			Session: "sketch-brave-otter", Status: exampleAgent(), Messages: []Message{exampleMessage()}, More: true,
		}},
		"sketch.models": {nil, ModelsResult{Default: "opus", Models: []ModelInfo{{Name: "opus", Provider: "anthropic", Model: "claude-opus-4-5", Ready: true}}}},
		"sketch.setKey": {SetKeyParams{Name: "anthropic", Key: "…"}, nil},
		"$/sketch/branch": {Branch{
			Session: "sketch-brave-otter", Name: "sketch/brave-otter", Exists: true, Commit: "c0ffee1", Subject: "login: return the error", Base: "9fceb02",
			BaseBranch: "main", Ahead: 3, Updated: time.Date(2026, 1, 2, 10, 5, 0, 0, time.UTC),
		}, nil},
		"$/sketch/agent":   {exampleAgent(), nil},
		"$/sketch/message": {MessageNotification{Session: "sketch-brave-otter", Message: exampleMessage()}, nil},
		"$/sketch/session": {exampleSession(), nil},
		"$/sketch/ports":   {PortsNotification{Session: "sketch-brave-otter", Owner: true, Ports: []Port{examplePort()}}, nil},
		"$/sketch/portEvent": {PortEventNotification{
			Session: "sketch-brave-otter", Type: PortEventOpened, Port: examplePort(),
		}, nil},
	}
}

const exampleConfig = "/home/ada/.local/state/sketch-ide/sessions/sketch-brave-otter/ssh_config"

func exampleSession() Session {
	return Session{
		Name: "sketch-brave-otter", Folder: "/home/ada/shop", State: SessionConnected,
		Container: "4f66ad9a", Image: "sketch-ide/shop:1f9c", Workspace: "/workspaces/shop",
		Branch: "sketch/brave-otter", Commit: "9fceb02", SSH: "-F " + exampleConfig + " sketch-brave-otter", Owner: true,
		Created: time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC),
	}
}

func exampleAgent() AgentStatus {
	return AgentStatus{
		Session: "sketch-brave-otter", State: AgentTools, Model: "opus", Turn: 1, Since: time.Date(2026, 1, 2, 10, 4, 0, 0, time.UTC),
		Todo:  []TodoItem{{ID: "1", Text: "Run the tests", Status: TodoActive}},
		Usage: Usage{InputTokens: 812, OutputTokens: 231, CacheReadTokens: 9120, Dollars: 0.0143, Priced: true}, ContextUsed: 10163, ContextSize: 200000,
	}
}

func exampleMessage() Message {
	return Message{
		ID: "m3", Seq: 3, Kind: MessageTool, Time: time.Date(2026, 1, 2, 10, 4, 3, 0, time.UTC), Turn: 1, Done: true, Tool: &ToolCall{
			ID: "toolu_01", Name: "bash", Title: "go test ./...", State: ToolDone, Input: []byte(`{"command":"go test ./..."}`),
			Output: "ok  \tshop\t0.01s\n", DurationMS: 1204,
		},
	}
}

func examplePort() Port {
	return Port{
		Number: 3000, HostPort: 3001, URL: "http://localhost:3001", Status: PortForwarded, Reason: "3000 is in use",
		Process: "vite", PID: 312, Action: ActionNotify, Addresses: []string{"127.0.0.1"}, Generation: 1,
	}
}
