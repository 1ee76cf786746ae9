package devcontainer

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Variables are the values that a devcontainer.json may refer to. Those that are empty are left alone.
type Variables struct {
	// LocalEnv looks a variable of the host's environment up. The file's author, who is not the user, chooses the names: pass
	// what may be known inside. Nil: none is set.
	LocalEnv func(name string) (string, bool)

	LocalWorkspaceFolder     string // the repository on the host
	ContainerWorkspaceFolder string // the repository inside
	DevcontainerID           string // see ID
}

var variable = regexp.MustCompile(`\$\{(.*?)\}`)

// Expand substitutes the variables in a string, once: what a value contains is not looked at again. Variables that it does not know or has no value for
// are left alone, and so is ${containerEnv:NAME}, which only the container can tell. ${localEnv:NAME} that is not set is empty;
// ${localEnv:NAME:default} is everything behind the second colon.
func (v Variables) Expand(text string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	return variable.ReplaceAllStringFunc(text, func(match string) string {
		if value, ok := v.lookup(match[2 : len(match)-1]); ok {
			return value
		}
		return match
	})
}

func (v Variables) lookup(expression string) (string, bool) {
	name, args, _ := strings.Cut(expression, ":")
	switch name {
	case "localEnv", "env": // env is the older name
		return v.localEnv(args)
	case "localWorkspaceFolder":
		return v.LocalWorkspaceFolder, v.LocalWorkspaceFolder != ""
	case "localWorkspaceFolderBasename":
		return filepath.Base(v.LocalWorkspaceFolder), v.LocalWorkspaceFolder != ""
	case "containerWorkspaceFolder":
		return v.ContainerWorkspaceFolder, v.ContainerWorkspaceFolder != ""
	case "containerWorkspaceFolderBasename":
		return path.Base(v.ContainerWorkspaceFolder), v.ContainerWorkspaceFolder != ""
	case "devcontainerId":
		return v.DevcontainerID, v.DevcontainerID != ""
	}
	return "", false
}

func (v Variables) localEnv(args string) (string, bool) {
	name, fallback, _ := strings.Cut(args, ":")
	if name == "" {
		return "", false
	}
	if v.LocalEnv != nil {
		if value, ok := v.LocalEnv(name); ok {
			return value, true
		}
	}
	return fallback, true
}

// Expand returns the Config with its variables substituted; c stays as it is. An empty ContainerWorkspaceFolder is taken from WorkspaceFolder. Untouched
// are the paths of Build, which Load has resolved, Ports, and the names of features and variables.
func (c Config) Expand(v Variables) Config {
	if v.ContainerWorkspaceFolder == "" {
		v.ContainerWorkspaceFolder = v.Expand(c.WorkspaceFolder)
	}
	for _, s := range []*string{&c.Name, &c.Image, &c.Build.Target, &c.RemoteUser, &c.ContainerUser, &c.WorkspaceFolder} {
		*s = v.Expand(*s)
	}
	for _, l := range []*[]string{&c.Build.CacheFrom, &c.AppPorts, &c.CapAdd, &c.SecurityOpt, &c.RunArgs, &c.ComposeFiles} {
		*l = v.list(*l)
	}
	for _, l := range []*[]Command{
		&c.InitializeCommand, &c.OnCreateCommand, &c.UpdateContentCommand, &c.PostCreateCommand, &c.PostStartCommand, &c.PostAttachCommand,
	} {
		*l = v.commands(*l)
	}
	c.Features = slices.Clone(c.Features)
	c.Build.Args = v.env(c.Build.Args)
	c.ContainerEnv = v.env(c.ContainerEnv)
	c.RemoteEnv = v.remoteEnv(c.RemoteEnv)
	c.Mounts = slices.Clone(c.Mounts)
	for i, m := range c.Mounts {
		c.Mounts[i] = v.mount(m)
	}
	if c.WorkspaceMount != nil {
		m := v.mount(*c.WorkspaceMount)
		c.WorkspaceMount = &m
	}
	return c
}

func (v Variables) list(list []string) []string {
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = v.Expand(s)
	}
	return list
}

func (v Variables) commands(list []Command) []Command {
	list = slices.Clone(list)
	for i, c := range list {
		list[i].Shell, list[i].Args = v.Expand(c.Shell), v.list(c.Args)
	}
	return list
}

func (v Variables) env(env map[string]string) map[string]string {
	if env == nil {
		return nil
	}
	expanded := make(map[string]string, len(env))
	for name, value := range env {
		expanded[name] = v.Expand(value)
	}
	return expanded
}

func (v Variables) remoteEnv(env map[string]*string) map[string]*string {
	if env == nil {
		return nil
	}
	expanded := make(map[string]*string, len(env))
	for name, value := range env {
		if value != nil {
			s := v.Expand(*value)
			value = &s
		}
		expanded[name] = value
	}
	return expanded
}

func (v Variables) mount(m Mount) Mount {
	m.Source, m.Target, m.Options = v.Expand(m.Source), v.Expand(m.Target), v.list(m.Options)
	return m
}
