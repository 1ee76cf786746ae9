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
		"sketch.openPort":  {PortParams{Port: 3000}, OpenPortResult{URL: "http://localhost:3001", Port: examplePort()}},
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

func examplePort() Port {
	return Port{
		Number: 3000, HostPort: 3001, URL: "http://localhost:3001", Status: PortForwarded, Reason: "3000 is in use",
		Process: "vite", PID: 312, Action: ActionNotify, Addresses: []string{"127.0.0.1"}, Generation: 1,
	}
}
