package session

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/repo"
)

// grant adds what devcontainer.json says and a repository may decide: the image, variables and user inside, volumes of its own, commands inside. What reaches
// the host is the user's to give, by settings: folders of the host and values of its environment. More privilege is given to nobody.
func (p *plan) grant(raw devcontainer.Config, r *repo.Repo, settings ContainerSettings) {
	local := localEnv{allowed: settings.EnvForward, asked: map[string]bool{}}
	variables := devcontainer.Variables{
		LocalWorkspaceFolder: r.Root, ContainerWorkspaceFolder: p.workspace,
		DevcontainerID: devcontainer.ID(map[string]string{container.LabelFolder: r.Root}),
	}
	// An image keeps the arguments of its build in its history, where a value of the host would outlive the session.
	build := devcontainer.Config{Build: raw.Build}.Expand(variables).Build
	raw.Build = devcontainer.Build{}
	variables.LocalEnv = local.lookup
	config := raw.Expand(variables)
	config.Build = build
	p.grantImage(config)
	p.grantEnv(raw, config)
	p.grantMounts(config, r)
	p.hooks = hooksOf(config)
	p.refuseRest(config)
	for _, name := range slices.Sorted(maps.Keys(local.asked)) {
		p.refuse("the value of your variable %.80s (allow it by the setting envForward)", name)
	}
}

// localEnv is what of the host's environment a repository may read: what the user has named.
type localEnv struct {
	allowed []string
	asked   map[string]bool // and not allowed
}

func (l localEnv) lookup(name string) (string, bool) {
	if slices.Contains(l.allowed, name) {
		return os.LookupEnv(name)
	}
	if _, set := os.LookupEnv(name); set {
		l.asked[name] = true
	}
	return "", false
}

// grantImage: where it names neither an image nor a Dockerfile, the usual order goes on.
func (p *plan) grantImage(c devcontainer.Config) {
	if c.Build.Dockerfile != "" {
		p.image.Dockerfile, p.image.Context = c.Build.Dockerfile, c.Build.Context
		p.image.BuildArgs, p.image.Target = c.Build.Args, c.Build.Target
		if len(c.Build.CacheFrom) > 0 {
			p.refuse("build.cacheFrom (the engine's own cache is used)")
		}
	} else {
		p.image.Image = c.Image
	}
	p.image.User = cmp.Or(c.RemoteUser, c.ContainerUser)
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,255}$`)

// grantEnv: values that hold some of the host's go to the sessions inside and not into the container's description.
func (p *plan) grantEnv(raw, c devcontainer.Config) {
	for name, value := range c.ContainerEnv {
		switch {
		case !envName.MatchString(name) || strings.ContainsRune(value, 0):
			p.refuse("the variable %.80q of containerEnv, which no shell could name", name)
		case strings.Contains(raw.ContainerEnv[name], "${localEnv:") || strings.Contains(raw.ContainerEnv[name], "${env:"):
			p.box.addEnv(name, value)
		default:
			p.box.containerEnv[name] = value
		}
	}
	for name, value := range c.RemoteEnv {
		switch {
		case !envName.MatchString(name) || value != nil && strings.ContainsRune(*value, 0):
			p.refuse("the variable %.80q of remoteEnv, which no shell could name", name)
		case value == nil:
			p.box.unset = append(p.box.unset, name)
		default:
			p.box.addEnv(name, *value)
		}
	}
	slices.Sort(p.box.unset)
}

// grantMounts: a volume gets a name that is this repository's, or one repository could read what another one, or somebody's database, keeps in its own.
func (p *plan) grantMounts(c devcontainer.Config, r *repo.Repo) {
	for _, m := range c.Mounts {
		target := path.Clean(m.Target)
		taken := slices.ContainsFunc(p.box.mounts, func(user container.Mount) bool { return user.Target == target })
		switch {
		case taken: // by the user's settings, which know better
		case m.Type == "bind":
			p.refuse("the folder %.200s of this machine (mount it by the setting mounts)", m.Source)
		case m.Type == "tmpfs":
			p.box.mounts = append(p.box.mounts, container.Mount{Type: "tmpfs", Target: target, ReadOnly: m.ReadOnly})
		default:
			p.box.mounts = append(p.box.mounts, container.Mount{Type: "volume", Source: volumeName(r.Root, m.Source), Target: target, ReadOnly: m.ReadOnly, Ours: true})
		}
	}
}

var notInVolume = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

// volumeName is a volume of this folder; "" stays without a name.
func volumeName(folder, name string) string {
	if name == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(folder))
	return fmt.Sprintf("sketch-ide-%x-%.100s", sum[:6], notInVolume.ReplaceAllString(name, "-"))
}

// refuseRest names what is given to no repository.
func (p *plan) refuseRest(c devcontainer.Config) {
	for _, asked := range []struct {
		is   bool
		what string
	}{
		{len(c.InitializeCommand) > 0, "initializeCommand, which is for this machine"},
		{c.Privileged, "privileged"},
		{len(c.CapAdd) > 0, "capAdd " + shortList(c.CapAdd)},
		{len(c.SecurityOpt) > 0, "securityOpt " + shortList(c.SecurityOpt)},
		{len(c.RunArgs) > 0, "runArgs " + shortList(c.RunArgs)},
	} {
		if asked.is {
			p.refuse("%s", asked.what)
		}
	}
	if m := c.WorkspaceMount; m != nil && (m.Type != "bind" || filepath.Clean(m.Source) != filepath.Clean(c.Root)) {
		p.refuse("workspaceMount of %.200s (the repository is copied to its target)", m.Source)
	}
}
