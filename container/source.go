package container

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/distribution/reference"
)

// source is where an image comes from: a Dockerfile and the folder that its COPYs mean. Its files are read through
// root, the repository, so that no link in it can lead out.
type source struct {
	name       string   // as shown to people: relative path of the Dockerfile, or the base image
	dockerfile string   // path relative to dir; "" where it is generated
	root       *os.Root // nil where there is no context
	file       string   // its path relative to root
	dir        string   // context, relative to root: "." or ".sketch"
	ignore     []string // files that may hold the ignore patterns, relative to dir; the first that is there counts
	data       []byte   // the Dockerfile
	parsed     dockerfile
}

// maxDockerfile bounds Dockerfiles and ignore files.
const maxDockerfile = 1 << 20

// findSource: a folder of its own first, since who made that meant it most, then one file, then the base image.
// Errors: *BuildError for a Dockerfile that cannot be read or used, *PullError for a name that is none.
func findSource(root *os.Root, spec ImageSpec) (source, error) {
	switch {
	case spec.Image != "":
		return generated(spec.Image)
	case spec.Dockerfile != "":
		return namedSource(root, spec)
	}
	for _, s := range []source{
		{
			name: ".sketch/Dockerfile", dir: ".sketch", dockerfile: "Dockerfile",
			ignore: []string{"Dockerfile.dockerignore", ".dockerignore"},
		},
		{
			name: "Dockerfile.sketch", dir: ".", dockerfile: "Dockerfile.sketch",
			ignore: []string{"Dockerfile.sketch.dockerignore", ".dockerignore"},
		},
	} {
		s.file = path.Join(s.dir, s.dockerfile)
		found, err := s.read(root, spec)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return found, err
	}
	return generated(spec.BaseImage)
}

// namedSource is the Dockerfile that the spec names, in the repository. One outside its context is sent beside it, under
// a name that no file of the context has.
func namedSource(root *os.Root, spec ImageSpec) (source, error) {
	s := source{name: spec.Dockerfile, file: path.Clean(spec.Dockerfile), dir: path.Clean(spec.Context)}
	if spec.Context == "" {
		s.dir = path.Dir(s.file)
	}
	if rel, err := filepath.Rel(s.dir, s.file); err == nil && filepath.IsLocal(rel) {
		s.dockerfile = filepath.ToSlash(rel)
		s.ignore = []string{s.dockerfile + ".dockerignore"}
	} else {
		s.dockerfile = fmt.Sprintf(".dockerfile.%x", sha256.Sum256([]byte(s.file)))
	}
	s.ignore = append(s.ignore, ".dockerignore")
	found, err := s.read(root, spec)
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, unreadable(s.name, s.name, fs.ErrNotExist)
	}
	return found, err
}

// read completes a source by its Dockerfile. The error is fs.ErrNotExist where there is none.
func (s source) read(root *os.Root, spec ImageSpec) (source, error) {
	data, err := readWithin(root, s.file, maxDockerfile)
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, fs.ErrNotExist
	}
	if err != nil {
		return source{}, unreadable(s.name, s.name, err)
	}
	s.root, s.data, s.parsed = root, data, parseDockerfile(data, spec.BuildArgs)
	return s, s.check()
}

// generated is a Dockerfile of one line. The name may come from a repository's settings: only what is a name goes in.
func generated(base string) (source, error) {
	if base == "" {
		base = DefaultBaseImage
	}
	s := source{name: base, data: []byte("FROM " + base + "\n"), parsed: dockerfile{bases: []string{base}}}
	return s, s.check()
}

// check refuses what the engine would refuse with fewer words, and what it must not be asked to do.
func (s source) check() error {
	if s.parsed.flaw != "" {
		return &BuildError{Dockerfile: s.name, Reason: s.parsed.flaw, Hint: "Begin it with FROM and an image, such as: FROM " + DefaultBaseImage}
	}
	if len(s.parsed.bases) > maxBases {
		return &BuildError{Dockerfile: s.name, Reason: fmt.Sprintf("it stands on more than %d images", maxBases), Hint: "Use fewer of them."}
	}
	if err := checkAdds(s.name, s.data); err != nil {
		return err
	}
	for _, ref := range s.parsed.bases {
		if err := checkReference(ref); err != nil {
			return err
		}
	}
	return nil
}

func checkReference(ref string) error {
	_, err := reference.ParseAnyReference(ref)
	if err == nil {
		return nil
	}
	return &PullError{
		Ref: printable(ref), Reason: printable(err.Error()), Err: err,
		Hint: "Write the name of an image, in lower case and perhaps with a tag: debian:bookworm, ghcr.io/owner/image:1.2",
	}
}

// unreadable is the error for a file that the build of the Dockerfile called name needs.
func unreadable(name, file string, err error) error {
	failure := &BuildError{Dockerfile: name, Reason: bareReason(err), Err: err}
	if file != name {
		failure.Reason = "read " + printable(file) + ": " + failure.Reason
	}
	switch kind, ok := errors.AsType[*notRegularError](err); {
	case ok && kind.mode.IsDir() && file == "Dockerfile.sketch":
		failure.Hint = "Make it a file, or put a Dockerfile with the files that it needs into a folder called .sketch."
	case ok:
		failure.Hint = "Replace it by a file."
	case errors.Is(err, ErrTooBig):
		failure.Reason, failure.Hint = "it is above 1 MiB", "A Dockerfile of such a size is none; look what it is."
	case errors.Is(err, fs.ErrPermission):
		failure.Hint = "Make it readable for your user, or leave it out with a .dockerignore."
	default:
		failure.Hint = "Only files within the repository are used: put it there."
	}
	return failure
}
