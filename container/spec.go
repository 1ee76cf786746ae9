package container

// Paths inside a container. Package agent owns what is in them.
const (
	AgentPath      = "/opt/sketch-ide/bin/sketch-ide"
	DefaultSSHPort = 22022
)

// Spec describes a session's container.
type Spec struct {
	Name     string            // of the container, and its host name: sketch-brave-otter
	Image    Image             // from EnsureImage
	Labels   map[string]string // besides those that Create sets itself
	Env      map[string]string // besides the image's own
	Files    []File            // copied in before the start; AgentPath must be among them or the shared ones
	Shared   Shared
	SSHPort  uint16  // inside; published on 127.0.0.1 only; 0 = DefaultSSHPort
	Hostname string  // "" = Name
	Network  Network // "" = NetworkBridge
	Mounts   []Mount
	Limits   Limits
}

// Limits bound what a container can take from its host. Zero values mean the defaults; negative ones no limit.
type Limits struct {
	Memory  int64   // bytes; default three quarters of the engine's memory
	PIDs    int64   // processes and threads; default 4096
	CPUs    float64 // default no limit
	LogSize int64   // bytes kept of the process's output; default 8 MiB
}
