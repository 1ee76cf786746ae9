package container

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// source is where an image comes from: a Dockerfile and the folder that its COPYs mean.
type source struct {
	name       string   // as shown to people: relative path of the Dockerfile, or the base image
	dockerfile string   // path relative to dir; "" where it is generated
	dir        string   // context; "" = none
	ignore     []string // files that may hold the ignore patterns, relative to dir; the first that is there counts
	data       []byte   // the Dockerfile
	parsed     dockerfile
}

// maxDockerfile bounds Dockerfiles and ignore files.
const maxDockerfile = 1 << 20

// findSource: a folder of its own first, since who made that meant it most, then one file, then the base image.
func findSource(spec ImageSpec) (source, error) {
	for _, s := range []source{
		{
			name: ".sketch/Dockerfile", dir: filepath.Join(spec.Dir, ".sketch"), dockerfile: "Dockerfile",
			ignore: []string{"Dockerfile.dockerignore", ".dockerignore"},
		},
		{
			name: "Dockerfile.sketch", dir: spec.Dir, dockerfile: "Dockerfile.sketch",
			ignore: []string{"Dockerfile.sketch.dockerignore", ".dockerignore"},
		},
	} {
		data, err := readBounded(filepath.Join(s.dir, s.dockerfile), maxDockerfile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return source{}, fmt.Errorf("read %s: %w", s.name, err)
		}
		s.data, s.parsed = data, parseDockerfile(data, spec.BuildArgs)
		return s, nil
	}
	base := spec.BaseImage
	if base == "" {
		base = DefaultBaseImage
	}
	return source{name: base, data: []byte("FROM " + base + "\n"), parsed: dockerfile{bases: []string{base}}}, nil
}
