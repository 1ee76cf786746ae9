package session

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/repo"
)

// plan is what a session is to be made of: the user's settings, and of the repository's devcontainer.json what is granted to a repository.
type plan struct {
	image     container.ImageSpec
	box       box
	workspace string // the repository's root inside
	hooks     hooks
	refused   []string // what devcontainer.json asks for and does not get, for people
}

// plan reads the repository as it stands on the host.
func (s *Supervisor) plan(r *repo.Repo, o StartOptions) (plan, error) {
	settings := s.currentSettings()
	p := plan{
		image:     container.ImageSpec{Dir: r.Root, BaseImage: cmp.Or(o.BaseImage, settings.BaseImage), Rebuild: o.Rebuild},
		workspace: path.Join(agent.Workspaces, r.Name),
	}
	config, found, err := readDevcontainer(r.Root)
	if found && err == nil {
		err = unsupported(config)
	}
	if err != nil && ownDockerfile(r.Root) {
		p.refuse("%v; the Dockerfile for sketch-ide is used in its place", err)
		found, err = false, nil
	}
	if err != nil {
		return plan{}, err
	}
	if found {
		p.workspace = workspaceOf(config, p.workspace)
	}
	p.box = newBox(settings.Container, r, p.workspace)
	if found {
		p.grant(config, r, settings.Container)
	}
	return p, nil
}

func (p *plan) refuse(format string, args ...any) {
	p.refused = append(p.refused, fmt.Sprintf(format, args...))
}

// ownDockerfile tells whether the repository has a Dockerfile that is for sketch-ide alone.
func ownDockerfile(root string) bool {
	for _, name := range []string{".sketch/Dockerfile", "Dockerfile.sketch"} {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err == nil {
			return true
		}
	}
	return false
}

// readDevcontainer reads the repository's devcontainer.json. A mistake in a key that the image is made from is an error, since another image would be another
// place to work in; the others are told by whoever follows the file for its ports.
func readDevcontainer(root string) (config devcontainer.Config, found bool, err error) {
	file, err := devcontainer.Find(root)
	if errors.Is(err, devcontainer.ErrNotFound) {
		return devcontainer.Config{}, false, nil
	}
	if err == nil {
		config, err = devcontainer.Load(file)
	}
	if errors.Is(err, fs.ErrNotExist) { // removed since
		return devcontainer.Config{}, false, nil
	}
	if err != nil && !onlyMinor(err) {
		return devcontainer.Config{}, true, &DevcontainerError{Err: err, Hint: "Mend it, or write a .sketch/Dockerfile, which is then used in its place."}
	}
	return config, true, nil
}

// onlyMinor tells whether nothing is wrong that the image depends on.
func onlyMinor(err error) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return false
	}
	for _, one := range joined.Unwrap() {
		key, ok := errors.AsType[*devcontainer.KeyError](one)
		if !ok {
			continue // the count of further ones
		}
		switch top, _, _ := strings.Cut(key.Key, "."); top {
		case "image", "build", "dockerFile", "context", "dockerComposeFile", "features", "remoteUser", "containerUser":
			return false
		}
	}
	return true
}

// unsupported names what sketch-ide cannot make, and cannot leave out either.
func unsupported(c devcontainer.Config) error {
	const instead = "a .sketch/Dockerfile, which is then used in its place"
	if len(c.ComposeFiles) > 0 {
		return &DevcontainerError{
			Err:  errors.New("it describes its containers by dockerComposeFile, which sketch-ide does not run"),
			Hint: "Name an image or build.dockerfile in it, or write " + instead + "; services can run inside, or elsewhere on the network.",
		}
	}
	if len(c.Features) > 0 {
		return &DevcontainerError{
			Err:  fmt.Errorf("it asks for the features %s, which sketch-ide does not install", shortList(c.Features)),
			Hint: "Install what they bring in the Dockerfile that build.dockerfile names, or write " + instead + ".",
		}
	}
	return nil
}

// shortList names at most five.
func shortList(names []string) string {
	const most = 5
	var quoted []string
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, fmt.Sprintf("%.100q", name))
	}
	text := strings.Join(quoted, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// workspaceOf is where the repository's root is inside: the target of workspaceMount, else workspaceFolder, unless that is a folder in the usual place.
func workspaceOf(c devcontainer.Config, usual string) string {
	variables := devcontainer.Variables{LocalWorkspaceFolder: c.Root, ContainerWorkspaceFolder: usual}
	wanted := c.WorkspaceFolder
	if c.WorkspaceMount != nil {
		wanted = c.WorkspaceMount.Target
	}
	wanted = path.Clean(variables.Expand(wanted))
	if !path.IsAbs(wanted) || strings.Contains(wanted, "${") || strings.HasPrefix(wanted+"/", usual+"/") || slices.Contains(systemFolders, wanted) {
		return usual
	}
	for _, system := range []string{"/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", agent.Root} {
		if strings.HasPrefix(wanted+"/", system+"/") {
			return usual
		}
	}
	return wanted
}

// systemFolders are no place for a repository, and those in them may be.
var systemFolders = []string{"/", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/local", "/var", "/var/lib", agent.Workspaces}
