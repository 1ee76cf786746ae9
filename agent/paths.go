package agent

import (
	"path"
	"path/filepath"
)

// Where things are inside the container. Both sides use these names: the host puts the files there, the process finds them.
const (
	Root       = "/opt/sketch-ide"                       // everything of ours in the image's file system
	BinDir     = Root + "/bin"                           // on the PATH of every session
	Binary     = BinDir + "/sketch-ide"                  // 0755, root
	ConfigPath = Root + "/etc/agent.json"                // 0400, the image's user: a [Config]
	RunDir     = Root + "/run"                           // 0700, the image's user: sockets
	SocketPath = RunDir + "/agent.sock"                  // the HTTP API
	PacksDir   = Root + "/objects"                       // a folder of the host's with packs of the repository, read-only, where one is shared
	HostSocket = RunDir + "/host.sock"                   // services of the host, see [GitRemoteHelper]
	GitHelper  = "/usr/local/bin/" + GitRemoteHelperName // symbolic link to Binary
	Workspaces = "/workspaces"                           // the devcontainer convention

	// GitRemoteHelperName is the program name by which git starts [GitRemoteHelper].
	GitRemoteHelperName = "git-remote-sketch"

	// SSHPort is the TCP port of the SSH server inside.
	SSHPort = 22022

	// GatewayAddress is where tools inside find the host's gateway to the models' servers.
	GatewayAddress = "127.0.0.1:22023"
)

// Workspace returns where the repository whose root on the host is dir lives inside: /workspaces/<base name>.
func Workspace(dir string) string {
	name := path.Base(filepath.ToSlash(dir))
	switch name {
	case "", ".", "..", "/":
		name = "workspace"
	}
	return path.Join(Workspaces, name)
}
