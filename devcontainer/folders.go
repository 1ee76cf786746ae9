package devcontainer

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// watch keeps the system's watches on the folders that can hold a devcontainer.json, or a name on the way to it: a few, and a few for each of
// maxNamedFolders. A watch is on a folder, not on its name: when another folder takes the name, the watch must be made again.
type watch struct {
	root   string // absolute
	notify *fsnotify.Watcher
	held   map[string]bool // the folders watched, by their paths without symbolic links
	route  route
}

func newWatch(root string, notify *fsnotify.Watcher) *watch {
	return &watch{root: root, notify: notify, held: map[string]bool{}}
}

// take handles one event, and reports whether there may be something new.
func (w *watch) take(event fsnotify.Event) (bool, error) {
	if !w.matters(event) {
		return false, nil
	}
	if !moves(event) {
		return true, nil
	}
	w.forget(event.Name)
	_, err := w.sync() // now: the sooner a new folder is watched, the less happens in it unseen
	return true, err
}

// matters tells whether an event can be about a devcontainer.json or the way to it.
func (w *watch) matters(event fsnotify.Event) bool {
	dir, name := filepath.Split(event.Name)
	return w.held[event.Name] || w.route.matters(filepath.Clean(dir), name, moves(event))
}

// moves tells whether a name appeared or went away.
func moves(event fsnotify.Event) bool {
	return event.Has(fsnotify.Create) || event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename)
}

// everything is above all paths.
const everything = string(filepath.Separator)

// forget ends the watches of a path and of what is beneath it; sync makes those again that are still wanted.
func (w *watch) forget(path string) {
	for held := range w.held {
		if held == path || beneath(held, path) {
			w.drop(held)
		}
	}
}

// beneath compares clean paths by their names alone.
func beneath(path, folder string) bool {
	return path != folder && strings.HasPrefix(path, strings.TrimSuffix(folder, everything)+everything)
}

func (w *watch) drop(path string) {
	delete(w.held, path)
	_ = w.notify.Remove(path) // a watch that the system has ended already is as good
}

// sync compares the folders that should be watched with those that are. It reports whether to look again: in a folder that it has just begun to watch
// something may have changed before, and one that has just gone may be back.
func (w *watch) sync() (again bool, err error) {
	w.route = routeOf(w.root)
	for path := range w.held {
		if w.route[path] == nil {
			w.drop(path)
		}
	}
	for _, path := range slices.SortedFunc(maps.Keys(w.route), fromAbove) {
		if w.held[path] {
			continue
		}
		err := w.notify.Add(path)
		switch {
		case err == nil:
			w.held[path] = true
			again = true
		case missing(err):
			again = true
		case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ELOOP):
			// Find cannot look into it either. The folder above tells when that changes.
		default:
			return again, err
		}
	}
	return again, nil
}

// fromAbove sorts folders before what they contain: what happens while watches are made is seen by one of them.
func fromAbove(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
