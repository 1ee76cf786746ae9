package session

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/agentbin"
	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/repo"
)

// ContainerSettings are what the user grants to, and wants of, the containers of sessions to come. They are the user's own: what a repository says goes
// through [box], which grants less.
type ContainerSettings struct {
	Mounts     []devcontainer.Mount // with variables, and ~/ for the user's home
	EnvForward []string             // names of this process's variables whose values sessions get, where they are set
	CPUs       float64              // 0: what is idle
	Memory     int64                // bytes; 0: the default, negative: no limit
	PIDs       int64                // 0: the default, negative: no limit
	Network    container.Network    // empty: container.NetworkBridge
	Err        error                // what is wrong with them: no session is started until it is mended
}

// box is what a container is made of beside its image: what the user's settings and, as far as it is granted, the repository say.
type box struct {
	mounts       []container.Mount
	containerEnv map[string]string
	env          map[string]string // of sessions inside, not of the container, whose variables everybody who may use the engine sees
	unset        []string          // of the container's variables, those that sessions do not get
	limits       container.Limits
	network      container.Network
}

// addEnv adds a variable of the repository's; the user's own of that name stays.
func (b *box) addEnv(name, value string) {
	if _, ok := b.env[name]; !ok {
		b.env[name] = value
	}
}

// sessionEnv is what sessions get, with ${containerEnv:NAME} replaced by what the container has.
func (b *box) sessionEnv(image container.Image) map[string]string {
	inside := map[string]string{"PATH": defaultPath}
	for _, entry := range image.Env {
		if name, value, ok := strings.Cut(entry, "="); ok {
			inside[name] = value
		}
	}
	maps.Copy(inside, b.containerEnv)
	env := map[string]string{}
	for name, value := range b.env {
		env[name] = expandContainerEnv(value, inside)
	}
	return env
}

// defaultPath is what the engine gives to an image that has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

var containerVariable = regexp.MustCompile(`\$\{containerEnv:([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}`)

func expandContainerEnv(text string, inside map[string]string) string {
	return containerVariable.ReplaceAllStringFunc(text, func(match string) string {
		m := containerVariable.FindStringSubmatch(match)
		if value, ok := inside[m[1]]; ok {
			return value
		}
		return m[2]
	})
}

// newBox is what the settings alone say.
func newBox(s ContainerSettings, r *repo.Repo, workspace string) box {
	b := box{
		containerEnv: map[string]string{},
		env:          map[string]string{},
		limits:       container.Limits{Memory: s.Memory, PIDs: s.PIDs, CPUs: s.CPUs},
		network:      s.Network,
	}
	for _, name := range s.EnvForward {
		if value, ok := os.LookupEnv(name); ok {
			b.env[name] = value
		}
	}
	variables := devcontainer.Variables{LocalEnv: os.LookupEnv, LocalWorkspaceFolder: r.Root, ContainerWorkspaceFolder: workspace}
	for _, m := range s.Mounts {
		b.mounts = append(b.mounts, userMount(m, variables))
	}
	return b
}

// userMount is a mount of the user's settings: whatever the container package does not refuse.
func userMount(m devcontainer.Mount, variables devcontainer.Variables) container.Mount {
	out := container.Mount{Type: m.Type, Source: variables.Expand(m.Source), Target: path.Clean(variables.Expand(m.Target)), ReadOnly: m.ReadOnly}
	if m.Type != "bind" {
		return out
	}
	if rest, ok := strings.CutPrefix(out.Source, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			out.Source = filepath.Join(home, rest)
		}
	}
	out.Source = filepath.Clean(out.Source)
	return out
}

// containerSpec describes the container, and returns the public half of the server's key; the private half goes into the container and nowhere else.
func (s *Supervisor) containerSpec(rec record, image container.Image, b box) (container.Spec, string, error) {
	shared, err := s.sharedFiles(image)
	if err != nil {
		return container.Spec{}, "", err
	}
	server, err := newKeyPair("sketch-ide server")
	if err != nil {
		return container.Spec{}, "", err
	}
	env := b.sessionEnv(image)
	env["SKETCH_SESSION"] = rec.Name
	config, err := agent.Config{
		Session: rec.Name, User: rec.User, HostKey: server.Private, AuthorizedKeys: []string{rec.Client.Public}, Workspace: rec.Workspace, Env: env, Unset: b.unset,
	}.Encode()
	if err != nil {
		return container.Spec{}, "", err
	}
	return container.Spec{
		Name:  rec.Name,
		Image: image,
		Labels: map[string]string{
			container.LabelSession: rec.Name,
			container.LabelFolder:  rec.Folder,
			labelState:             s.cfg.Store.id,
			labelStateDir:          s.cfg.Store.dir,
			labelMachine:           machine(),
		},
		Env:     b.containerEnv,
		SSHPort: agent.SSHPort,
		Network: b.network,
		Mounts:  b.mounts,
		Limits:  b.limits,
		Shared:  shared,
		Files:   insideFiles(rec, image, config),
	}, server.Public, nil
}

// sharedFiles are what all sessions of the image have alike.
func (s *Supervisor) sharedFiles(image container.Image) (container.Shared, error) {
	id, err := s.agents.ID(image.Arch)
	if err != nil {
		return container.Shared{}, err
	}
	uid, gid := image.UID, image.GID
	return container.Shared{ID: id, Files: []container.File{
		{Path: agent.Binary, Mode: 0o755, Load: func() ([]byte, error) { return agentbin.For(image.Arch) }},
		{Path: path.Dir(agent.ConfigPath), Mode: fs.ModeDir | 0o755},
		{Path: agent.RunDir, Mode: fs.ModeDir | 0o700, UID: uid, GID: gid},
		{Path: agent.ProfilePath, Mode: 0o644, Content: []byte(agent.Profile)},
		{Path: agent.GitHelper, Target: agent.Binary},
		{Path: agent.Workspaces, Mode: fs.ModeDir | 0o755, UID: uid, GID: gid},
	}}, nil
}

// insideFiles are what is copied into the container.
func insideFiles(rec record, image container.Image, config []byte) []container.File {
	uid, gid := image.UID, image.GID
	return []container.File{
		{Path: agent.ConfigPath, Mode: 0o400, UID: uid, GID: gid, Content: config},
		{Path: rec.Workspace, Mode: fs.ModeDir | 0o755, UID: uid, GID: gid},
	}
}
