package devcontainer

import (
	"encoding/json"
	"slices"
)

// Config is what a devcontainer.json says. Zero fields were not set, or could not be understood. Its strings are as they were written, with their
// variables, until [Config.Expand]; only the paths of Build are resolved.
type Config struct {
	Path string // of the file, as it was given to Load
	Root string // of the repository: absolute, symbolic links kept

	Name         string
	Image        string
	Build        Build    // set: it wins over Image
	ComposeFiles []string // dockerComposeFile: not supported, and known so that it can be said
	Features     []string // the features' identifiers, in the order of the document

	ContainerEnv  map[string]string
	RemoteEnv     map[string]*string // nil unsets the variable; may have ${containerEnv:NAME} after Expand too
	RemoteUser    string
	ContainerUser string

	Mounts          []Mount
	WorkspaceFolder string // inside; absolute or beginning with a variable
	WorkspaceMount  *Mount // nil also when it is written as ""

	AppPorts []string // as docker run -p has them: "3000", "8000:3000", "127.0.0.1:8000:3000/tcp"

	InitializeCommand    []Command // meant for the host
	OnCreateCommand      []Command
	UpdateContentCommand []Command
	PostCreateCommand    []Command
	PostStartCommand     []Command
	PostAttachCommand    []Command

	Init        bool
	Privileged  bool
	CapAdd      []string
	SecurityOpt []string
	RunArgs     []string

	ports json.RawMessage
}

// Build says how the image is built. The paths are relative to Config.Root, slash-separated, clean, and lead to nothing outside it, as of when the file was
// loaded.
type Build struct {
	Dockerfile string // empty: nothing is to be built
	Context    string // a folder; "." is the repository
	Args       map[string]string
	Target     string
	CacheFrom  []string
}

// Ports returns a JSON object with the keys forwardPorts, portsAttributes and otherPortsAttributes as far as they are there, for tunnel.DecodeSettings: their
// values are unchecked, and in the order of the document, which decides between equal attributes.
func (c Config) Ports() json.RawMessage {
	if c.ports == nil {
		return json.RawMessage("{}")
	}
	return slices.Clone(c.ports)
}
