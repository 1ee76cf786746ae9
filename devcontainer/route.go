package devcontainer

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// route is where a devcontainer.json can come from: the folders (their paths without symbolic links) and the names in them that lead to one. In a folder with
// the name anyName each name does, by appearing or going away.
type route map[string]map[string]bool

const (
	anyName  = ""
	maxLinks = 8 // symbolic links that are followed from one path
)

func (r route) matters(dir, name string, moves bool) bool {
	names := r[dir]
	return names[name] || moves && names[anyName]
}

// routeOf looks at what there is now.
func routeOf(root string) route {
	r := route{}
	if needsParent(root) {
		r.follow(root, everything)
	}
	folder := filepath.Join(root, folderName)
	for _, path := range []string{folder, filepath.Join(root, dotFile), filepath.Join(folder, fileName)} {
		r.follow(path, root)
	}
	if at, err := filepath.EvalSymlinks(folder); err == nil && r[at] != nil {
		r[at][anyName] = true
	}
	names, _ := namedFolders(root) // what cannot be listed has nothing to be found
	for _, name := range names {
		r.follow(filepath.Join(folder, name), root)
		r.follow(filepath.Join(folder, name, fileName), root)
	}
	return r
}

// follow adds the folder and the name of a path, and, when it is a symbolic link, those of where it leads, as far as that is in the folder
// within. When a folder on the way is missing, its name is waited for.
func (r route) follow(path, within string) {
	for hop := range maxLinks {
		dir, name := nearest(filepath.Dir(path))
		if name == "" {
			name = filepath.Base(path)
		}
		at, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return
		}
		missingRoot := hop == 0 && beneath(within, dir)
		if !missingRoot && inside(within, at) != nil {
			return // Load refuses what is out there
		}
		if r[at] == nil {
			r[at] = map[string]bool{}
		}
		r[at][name] = true
		target, err := os.Readlink(path)
		if err != nil {
			return
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
}

// nearest is the folder itself, or the nearest above it that exists and the name in it that leads to the folder.
func nearest(folder string) (top, next string) {
	for {
		info, err := os.Stat(folder)
		if err == nil && info.IsDir() || filepath.Dir(folder) == folder {
			return folder, next
		}
		folder, next = filepath.Dir(folder), filepath.Base(folder)
	}
}

// needsParent tells whether root's parent is watched too, to learn that root was replaced. Root's own watch does not tell that a symbolic link was, and on
// Linux it tells nothing while a process has the folder open or works in it, as the editor does. kqueue tells, and opens every file of a
// folder that it watches.
func needsParent(root string) bool {
	info, err := os.Lstat(root)
	return runtime.GOOS == "linux" || err != nil || info.Mode()&fs.ModeSymlink != 0
}
