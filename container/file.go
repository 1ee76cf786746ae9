package container

import "io/fs"

// File is a file, directory or symbolic link to be made in a container. Directories above it that are missing are
// made too, 0755 and root's; those that are there stay as they are.
type File struct {
	Path    string      // absolute, clean
	Mode    fs.FileMode // permissions, and fs.ModeDir for a directory
	UID     int
	GID     int
	Content []byte
	Target  string // of a symbolic link; Content and Mode are then ignored
}
