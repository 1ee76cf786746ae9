package devcontainer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/fsnotify/fsnotify"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	type fixture struct {
		*testing.T
		root, spare string // spare is outside the root, on the same file system
		want        func(string)
	}
	in := func(f fixture, elem ...string) string { return filepath.Join(append([]string{f.root}, elem...)...) }
	tests := []struct {
		name string
		run  func(f fixture)
	}{
		{"file in place", func(f fixture) {
			write(f.T, "1", in(f, dotFile))
			f.want("1")
			write(f.T, "2", in(f, dotFile))
			f.want("2")
			must(f.T, os.Remove(in(f, dotFile)))
			f.want("none")
		}},
		{"file by rename", func(f fixture) {
			for i := range 3 {
				replace(f.T, fmt.Sprint(i), in(f, folderName, fileName))
				f.want(fmt.Sprint(i))
			}
		}},
		{"folder made, removed and made again", func(f fixture) {
			for i := range 3 {
				write(f.T, fmt.Sprint(i), in(f, folderName, fileName))
				f.want(fmt.Sprint(i))
				must(f.T, os.RemoveAll(in(f, folderName)))
				f.want("none")
			}
		}},
		{"folder replaced at once", func(f fixture) {
			write(f.T, "0", in(f, folderName, fileName))
			f.want("0")
			for i := range 3 {
				write(f.T, fmt.Sprint("new", i), f.spare, fmt.Sprint(i), fileName)
				must(f.T, os.Rename(in(f, folderName), filepath.Join(f.spare, fmt.Sprint("old", i))))
				must(f.T, os.Rename(filepath.Join(f.spare, fmt.Sprint(i)), in(f, folderName)))
				f.want(fmt.Sprint("new", i))
				write(f.T, fmt.Sprint("again", i), in(f, folderName, fileName))
				f.want(fmt.Sprint("again", i))
			}
		}},
		{"folder moved away and removed", func(f fixture) {
			for i := range 3 {
				write(f.T, fmt.Sprint(i), in(f, folderName, fileName))
				f.want(fmt.Sprint(i))
				must(f.T, os.Rename(in(f, folderName), filepath.Join(f.spare, "x")))
				must(f.T, os.RemoveAll(filepath.Join(f.spare, "x")))
				f.want("none")
			}
		}},
		{"named folder", func(f fixture) {
			write(f.T, "1", in(f, folderName, "go", fileName))
			f.want("1")
			replace(f.T, "2", in(f, folderName, "go", fileName))
			f.want("2")
			must(f.T, os.Rename(in(f, folderName, "go"), in(f, folderName, "golang")))
			f.want("2")
			write(f.T, "3", in(f, folderName, "golang", fileName))
			f.want("3")
			write(f.T, "4", in(f, folderName, "other", fileName))
			f.want("none")
			must(f.T, os.RemoveAll(in(f, folderName, "golang")))
			f.want("4")
		}},
		{"precedence", func(f fixture) {
			write(f.T, "dot", in(f, dotFile))
			f.want("dot")
			write(f.T, "folder", in(f, folderName, fileName))
			f.want("folder")
			must(f.T, os.RemoveAll(in(f, folderName)))
			f.want("dot")
		}},
		{"file is a link", func(f fixture) {
			write(f.T, "1", in(f, "config", "a.json"))
			must(f.T, os.Symlink("config/a.json", in(f, dotFile)))
			f.want("1")
			replace(f.T, "2", in(f, "config", "a.json"))
			f.want("2")
			write(f.T, "3", in(f, "config", "b.json"))
			must(f.T, os.Symlink("config/b.json", in(f, "new")))
			must(f.T, os.Rename(in(f, "new"), in(f, dotFile)))
			f.want("3")
			write(f.T, "4", in(f, "config", "b.json"))
			f.want("4")
		}},
		{"folder is a link", func(f fixture) {
			must(f.T, os.Symlink("config", in(f, folderName)))
			write(f.T, "1", in(f, "config", fileName))
			f.want("1")
			must(f.T, os.RemoveAll(in(f, "config")))
			f.want("none")
			write(f.T, "2", in(f, "config", fileName))
			f.want("2")
			write(f.T, "3", in(f, "config", fileName))
			f.want("3")
		}},
		{"root removed and made again", func(f fixture) {
			for i := range 3 {
				write(f.T, fmt.Sprint(i), in(f, folderName, fileName))
				f.want(fmt.Sprint(i))
				must(f.T, os.RemoveAll(f.root))
				f.want("none")
			}
		}},
		{"root replaced", func(f fixture) {
			write(f.T, "1", in(f, dotFile))
			f.want("1")
			write(f.T, "2", f.spare, "new", dotFile)
			must(f.T, os.Rename(f.root, filepath.Join(f.spare, "old")))
			must(f.T, os.Rename(filepath.Join(f.spare, "new"), f.root))
			f.want("2")
			write(f.T, "3", in(f, dotFile))
			f.want("3")
		}},
		{"root removed while it is open", func(f fixture) {
			open, err := os.Open(f.root)
			must(f.T, err)
			defer open.Close()
			must(f.T, os.RemoveAll(f.root))
			write(f.T, "1", in(f, dotFile))
			f.want("1")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			root := filepath.Join(base, "root")
			must(t, os.Mkdir(root, 0o755))
			l := startLooking(t, root)
			l.want("none")
			tt.run(fixture{T: t, root: root, spare: t.TempDir(), want: l.want})
		})
		t.Run(tt.name+", linked root", func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			root := filepath.Join(base, "root")
			must(t, os.Mkdir(root, 0o755))
			link := filepath.Join(t.TempDir(), "link")
			must(t, os.Symlink(root, link))
			l := startLooking(t, link)
			write(t, "linked", root, dotFile)
			l.want("linked")
			must(t, os.Remove(filepath.Join(root, dotFile)))
			l.want("none")
			tt.run(fixture{T: t, root: root, spare: t.TempDir(), want: l.want})
		})
	}
}

func TestWatchOfARootThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "a", "b", "c")
	l := startLooking(t, root)
	l.want("none")
	write(t, "1", root, folderName, fileName)
	l.want("1")
	must(t, os.RemoveAll(filepath.Dir(root)))
	l.want("none")
	write(t, "2", root, dotFile)
	l.want("2")
}

func TestWatchFollowsALinkedRoot(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	write(t, "old", base, "old", dotFile)
	write(t, "new", base, "new", dotFile)
	root := filepath.Join(base, "root")
	must(t, os.Symlink("old", root))
	l := startLooking(t, root)
	l.want("old")
	must(t, os.Symlink("new", root+".tmp"))
	must(t, os.Rename(root+".tmp", root))
	l.want("new")
	write(t, "newer", base, "new", dotFile)
	l.want("newer")
}

// TestWatchStress makes and breaks whatever leads to the file; the last look must find what is there in the end.
func TestWatchStress(t *testing.T) {
	t.Parallel()
	base, spare := t.TempDir(), t.TempDir()
	root := filepath.Join(base, "root")
	l := startLooking(t, root)
	random := rand.New(rand.NewPCG(1, 2))
	paths := []string{root, filepath.Join(root, folderName), filepath.Join(root, folderName, "a"), filepath.Join(root, dotFile), filepath.Join(root, folderName, fileName), filepath.Join(root, folderName, "a", fileName)}
	for i := range 400 {
		// Errors are part of it: half of this cannot be done at the time.
		path := paths[random.IntN(len(paths))]
		switch random.IntN(6) {
		case 0:
			_ = os.RemoveAll(path)
		case 1:
			_ = os.Rename(path, filepath.Join(spare, fmt.Sprint(i)))
		case 2:
			_ = os.MkdirAll(path, 0o755)
		case 3:
			_ = os.Symlink(filepath.Join(spare, fmt.Sprint(random.IntN(i+1))), path)
		default:
			_ = os.MkdirAll(filepath.Dir(path), 0o755)
			_ = os.WriteFile(path, []byte(fmt.Sprint(i)), 0o644)
		}
	}
	for i := range 20 {
		must(t, os.RemoveAll(root))
		write(t, fmt.Sprint("final", i), root, folderName, fileName)
	}
	l.want("final19")
	replace(t, "alive", root, folderName, fileName)
	l.want("alive")
}

func TestWatchIsBounded(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for i := range 200 {
		must(t, os.MkdirAll(filepath.Join(root, folderName, fmt.Sprint(i)), 0o755))
	}
	w := newWatch(root, newNotify(t))
	if again, err := w.sync(); !again || err != nil {
		t.Fatalf("got %v, %v", again, err)
	}
	if got, most := len(w.notify.WatchList()), maxNamedFolders+3; got > most {
		t.Errorf("%d watches, want at most %d", got, most)
	}
	if again, err := w.sync(); again || err != nil {
		t.Errorf("a second look changed something: %v, %v", again, err)
	}
}

func TestWatchStaysInTheRepository(t *testing.T) {
	t.Parallel()
	root, outside := t.TempDir(), t.TempDir()
	write(t, "{}", outside, fileName)
	must(t, os.Symlink(outside, filepath.Join(root, folderName)))
	must(t, os.Symlink(filepath.Join(outside, fileName), filepath.Join(root, dotFile)))
	if _, ok := routeOf(root)[outside]; ok {
		t.Errorf("got %v", routeOf(root))
	}
}

func TestWatchMatters(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, "{}", root, folderName, "a", fileName)
	write(t, "{}", root, "config", "x.json")
	must(t, os.Symlink("config/x.json", filepath.Join(root, dotFile)))
	w := newWatch(root, newNotify(t))
	_, err := w.sync()
	must(t, err)
	tests := []struct {
		path string
		op   fsnotify.Op
		want bool
	}{
		{".devcontainer.json", fsnotify.Write, true},
		{".devcontainer.json", fsnotify.Chmod, true},
		{".devcontainer", fsnotify.Create, true},
		{"README.md", fsnotify.Create, false},
		{".git", fsnotify.Write, false},
		{"devcontainer.json", fsnotify.Write, false},
		{".devcontainer/devcontainer.json", fsnotify.Rename, true},
		{".devcontainer/Dockerfile", fsnotify.Write, false},
		{".devcontainer/b", fsnotify.Create, true},
		{".devcontainer/a", fsnotify.Remove, true},
		{".devcontainer/a/devcontainer.json", fsnotify.Write, true},
		{".devcontainer/a/Dockerfile", fsnotify.Create, false},
		{"config/x.json", fsnotify.Create, true},
		{"config/y.json", fsnotify.Create, false},
		{"", fsnotify.Remove, true},
	}
	for _, tt := range tests {
		if got := w.matters(fsnotify.Event{Name: filepath.Join(root, tt.path), Op: tt.op}); got != tt.want {
			t.Errorf("%s %q: got %v, want %v", tt.op, tt.path, got, tt.want)
		}
	}
}

// TestWatchRecoversFromTrouble: after an overflow nothing that is known of the folders can be relied upon.
func TestWatchRecoversFromTrouble(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	w := newWatch(root, newNotify(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	troubles := make(chan struct{}, 1)
	looks := 0
	err := w.run(ctx, troubles, func() {
		looks++
		switch looks {
		case 1:
			w.forget(everything) // as if the system had lost them; nobody tells what happens now
			write(t, "missed", root, dotFile)
			troubles <- struct{}{}
		default:
			if seen(root) == "missed" && len(w.held) > 0 {
				cancel()
			}
		}
	})
	must(t, err)
}

func TestCollectTroublesNeverBlocks(t *testing.T) {
	t.Parallel()
	errs, troubles := make(chan error), make(chan struct{}, 1)
	done := make(chan struct{})
	// Ended by the closing of errs, waited for below.
	go func() { defer close(done); collectTroubles(errs, troubles) }()
	for range 100 {
		errs <- errors.New("overflow")
	}
	close(errs)
	<-done
	<-troubles
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Watch(ctx, t.TempDir(), func() { t.Error("told after the end") }); err != nil {
		t.Error(err)
	}
}

func newNotify(t *testing.T) *fsnotify.Watcher {
	t.Helper()
	n, err := fsnotify.NewWatcher()
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}
