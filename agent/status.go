package agent

import "time"

// Status is the answer to GET /status.
type Status struct {
	Session   string    `json:"session"`
	Version   string    `json:"version"` // of the binary inside
	PID       int       `json:"pid"`     // inside
	Started   time.Time `json:"started"` // by the container's clock
	Uptime    float64   `json:"uptime"`  // seconds
	Workspace string    `json:"workspace"`
	Commands  int       `json:"commands"` // of people and of the agent that are alive; ports are looked for often meanwhile
	Readers   int       `json:"readers"`  // that wait for news of ports; without any nobody looks for ports, after a while
	SSH       SSHStatus `json:"ssh"`
}

// SSHStatus is the SSH server's part of [Status].
type SSHStatus struct {
	Listen      string `json:"listen"`      // the address that it listens on
	Connections int    `json:"connections"` // authenticated ones
	Sessions    int    `json:"sessions"`    // commands, shells and sftp that run now
	Visitors    int    `json:"visitors"`    // connections through it to the port that ?port= asks for
}
