package sshwire

import "golang.org/x/crypto/ssh"

// Channel types.
const (
	ChannelSession              = "session"                           // RFC 4254 §6.1
	ChannelDirectTCPIP          = "direct-tcpip"                      // RFC 4254 §7.2, DirectTCPIP
	ChannelForwardedTCPIP       = "forwarded-tcpip"                   // RFC 4254 §7.2, ForwardedTCPIP
	ChannelDirectStreamlocal    = "direct-streamlocal@openssh.com"    // OpenSSH PROTOCOL §2.4, DirectStreamlocal
	ChannelForwardedStreamlocal = "forwarded-streamlocal@openssh.com" // OpenSSH PROTOCOL §2.4, ForwardedStreamlocal
)

// Channels that the container may open towards the host; it may open no others.
const (
	// ChannelGit carries one git-upload-pack conversation (git's native protocol) with the host's repository.
	// Its extra data is the value of GIT_PROTOCOL, at most 64 bytes.
	ChannelGit = "git-upload-pack@sketch-ide"
	// ChannelLLM carries one HTTP/1.1 connection to the host's gateway to the models' servers. It has no extra data.
	ChannelLLM = "llm@sketch-ide"
)

// Global requests.
const (
	RequestTCPIPForward       = "tcpip-forward"        // RFC 4254 §7.1, TCPIPForward
	RequestCancelTCPIPForward = "cancel-tcpip-forward" // RFC 4254 §7.1, TCPIPForward
	RequestKeepalive          = "keepalive@openssh.com"
)

// Channel requests.
const (
	RequestPTY          = "pty-req"       // RFC 4254 §6.2, PTY
	RequestEnv          = "env"           // RFC 4254 §6.4, Env
	RequestShell        = "shell"         // RFC 4254 §6.5
	RequestExec         = "exec"          // RFC 4254 §6.5, Exec
	RequestSubsystem    = "subsystem"     // RFC 4254 §6.5, Subsystem
	RequestWindowChange = "window-change" // RFC 4254 §6.7, WindowChange
	RequestSignal       = "signal"        // RFC 4254 §6.9, Signal
	RequestExitStatus   = "exit-status"   // RFC 4254 §6.10, ExitStatus
	RequestExitSignal   = "exit-signal"   // RFC 4254 §6.10, ExitSignal

	// RequestAbort says that the close which follows is a reset, not an end: TCP's RST, which SSH has no word for.
	// It carries nothing and wants a reply, so that it is known before the close is. Others refuse it, harmlessly.
	RequestAbort = "abort@sketch-ide"
)

// The payloads below are for ssh.Marshal and ssh.Unmarshal, in the order of the wire.

// DirectTCPIP asks the server to connect to a host and port (RFC 4254 §7.2).
type DirectTCPIP struct {
	Host       string // name or address, without brackets
	Port       uint32
	OriginHost string
	OriginPort uint32
}

// ForwardedTCPIP announces a connection to a port that tcpip-forward asked for (RFC 4254 §7.2).
type ForwardedTCPIP struct {
	Host       string // as it was asked for
	Port       uint32 // that listens
	OriginHost string
	OriginPort uint32
}

// DirectStreamlocal asks the server to connect to a unix socket (OpenSSH PROTOCOL §2.4).
type DirectStreamlocal struct {
	Path      string
	Reserved0 string
	Reserved1 uint32
}

// ForwardedStreamlocal announces a connection to a unix socket (OpenSSH PROTOCOL §2.4).
type ForwardedStreamlocal struct {
	Path     string
	Reserved string
}

// TCPIPForward asks for a listener, or for its end (RFC 4254 §7.1).
type TCPIPForward struct {
	Host string
	Port uint32 // 0 lets the server choose; the reply then is a TCPIPForwardReply
}

// TCPIPForwardReply names the port that was chosen for a TCPIPForward with port 0 (RFC 4254 §7.1).
type TCPIPForwardReply struct {
	Port uint32
}

// PTY asks for a pseudo terminal (RFC 4254 §6.2).
type PTY struct {
	Term          string
	Columns, Rows uint32
	Width, Height uint32 // pixels
	Modes         string // encoded terminal modes, RFC 4254 §8
}

// WindowChange reports a new size of the terminal (RFC 4254 §6.7).
type WindowChange struct {
	Columns, Rows uint32
	Width, Height uint32 // pixels
}

// Env sets one variable of the program to come (RFC 4254 §6.4).
type Env struct {
	Name, Value string
}

// Exec asks for a command (RFC 4254 §6.5).
type Exec struct {
	Command string
}

// Subsystem asks for a named subsystem, such as sftp (RFC 4254 §6.5).
type Subsystem struct {
	Name string
}

// Signal delivers a signal to the program (RFC 4254 §6.9).
type Signal struct {
	Name string // without SIG
}

// ExitStatus reports how the program ended (RFC 4254 §6.10).
type ExitStatus struct {
	Status uint32
}

// ExitSignal reports the signal that ended the program (RFC 4254 §6.10).
type ExitSignal struct {
	Signal     string // without SIG
	CoreDumped bool
	Message    string
	Language   string
}

// Unmarshal decodes a payload of this package and says what is wrong when it is malformed.
func Unmarshal[T any](payload []byte) (T, error) {
	var v T
	err := ssh.Unmarshal(payload, &v)
	return v, err
}
