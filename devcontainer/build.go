package devcontainer

import (
	"errors"
	"path"
	"path/filepath"
	"strings"
)

// build reads the key build and its legacy form, dockerFile and context beside it.
func (d *decoder) build(c Config, top []member) Build {
	var b Build
	var object *member
	wanted := false // a Dockerfile is named, rightly or not
	context := folderOf(c)
	read := func(m member) {
		switch m.name {
		case "dockerFile", "dockerfile":
			wanted = wanted || !isNull(m.value)
			p, ok := d.path(c, m)
			if ok && p == "." {
				d.fail(m.value, m.key, "want a file, got the repository itself")
			} else if ok {
				b.Dockerfile = p
			}
		case "context":
			if p, ok := d.path(c, m); ok {
				context = p
			}
		case "args":
			b.Args = d.env(m.value, m.key)
		case "target":
			b.Target, _ = d.text(m.value, m.key)
		case "cacheFrom":
			b.CacheFrom = d.oneOrMore(m.value, m.key)
		}
	}
	for _, m := range top {
		switch m.name {
		case "dockerFile", "context":
			read(m)
		case "build":
			object = &m
		}
	}
	if object != nil { // after the legacy keys, over which its own win
		for _, m := range d.members(object.value, object.key) {
			read(m)
		}
	}
	if object != nil && !wanted && object.value.Value.Kind() == '{' {
		d.fail(object.value, "build.dockerfile", "want the path of a Dockerfile, got nothing")
	}
	if b.Dockerfile == "" {
		return Build{}
	}
	b.Context = context
	return b
}

// path reads a path that is written relative to the devcontainer.json and makes it relative to the repository, which it must not leave.
func (d *decoder) path(c Config, m member) (string, bool) {
	s, ok := d.text(m.value, m.key)
	if !ok {
		return "", false
	}
	if s == "" {
		d.fail(m.value, m.key, "want a path, got an empty string")
		return "", false
	}
	rel, err := resolve(c, s)
	if errors.Is(err, ErrOutside) {
		d.report(m.value, m.key, err.Error(), ErrOutside)
		return "", false
	}
	if err != nil {
		d.fail(m.value, m.key, "%v", err)
		return "", false
	}
	return rel, true
}

var errPathVariable = errors.New("a path can have no variables but localWorkspaceFolder and localWorkspaceFolderBasename")

// resolve makes a path of the document relative to the repository. The host's environment has no say in paths.
func resolve(c Config, s string) (string, error) {
	s = strings.NewReplacer("${localWorkspaceFolder}", c.Root, "${localWorkspaceFolderBasename}", filepath.Base(c.Root)).Replace(s)
	if variable.MatchString(s) {
		return "", errPathVariable
	}
	rel := path.Join(folderOf(c), s)
	if filepath.IsAbs(s) {
		var err error
		if rel, err = relativeTo(c.Root, s); err != nil {
			return "", err
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(rel)) {
		return "", ErrOutside
	}
	return rel, inside(c.Root, filepath.Join(c.Root, filepath.FromSlash(rel)))
}
