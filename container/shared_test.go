package container

import (
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// sharedScript is files that all sessions of an image have, of which the first counts how often it is loaded.
func sharedScript(id string, loaded *atomic.Int32) Shared {
	return Shared{ID: id, Files: []File{
		{Path: AgentPath, Mode: 0o755, Load: func() ([]byte, error) {
			loaded.Add(1)
			return []byte("#!/bin/sh\necho " + id + "; exec sleep 1000\n"), nil
		}},
		{Path: "/opt/sketch-ide/run", Mode: fs.ModeDir | 0o700, UID: 7, GID: 8},
		{Path: "/usr/local/bin/helper", Target: AgentPath},
	}}
}

func TestSharedFilesAreLoadedOnce(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	img := plainImage(t, e)
	var loaded atomic.Int32
	create := func(id string) Container {
		return session(t, e, img, func(s *Spec) {
			s.Shared = sharedScript(id, &loaded)
			s.Files = []File{{Path: "/opt/sketch-ide/etc/own", Mode: 0o400, UID: 7, Content: []byte("mine")}}
		})
	}
	first, second := create("one"), create("one")
	if got := loaded.Load(); got != 1 || first.ImageID != second.ImageID || first.ImageID == img.ID {
		t.Errorf("loaded %d times, for the images %s and %s", got, first.ImageID, second.ImageID)
	}
	const look = "stat -c '%n %a %u:%g' /opt/sketch-ide/bin/sketch-ide /opt/sketch-ide/run /opt/sketch-ide/etc /opt/sketch-ide/etc/own; readlink /usr/local/bin/helper"
	want := strings.Join([]string{
		AgentPath + " 755 0:0", "/opt/sketch-ide/run 700 7:8", "/opt/sketch-ide/etc 755 0:0", "/opt/sketch-ide/etc/own 400 7:0", AgentPath,
	}, "\n")
	if got := inside(t, e, second.ID, look); got != want {
		t.Errorf("inside stands\n%s\nwant\n%s", got, want)
	}
	third := create("two")
	if loaded.Load() != 2 || third.ImageID == first.ImageID {
		t.Errorf("other files: loaded %d times, image %s", loaded.Load(), third.ImageID)
	}
}

// stored finds an image of ours, or returns its zero value.
func stored(t *testing.T, e *Engine, id string) StoredImage {
	t.Helper()
	list, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(s StoredImage) bool { return s.ID == id })
	if i < 0 {
		return StoredImage{}
	}
	return list[i]
}

// An image is in use while a session runs in the one upon it; images for other versions go once nobody uses them.
func TestSharedImagesInUse(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	img, _ := ensure(t, e, ImageSpec{Dir: repository(t, map[string]string{"Dockerfile.sketch": "FROM " + baseImage() + "\nRUN true " + e.version + "\n"})})
	var loaded atomic.Int32
	old := session(t, e, img, func(s *Spec) { s.Files, s.Shared = nil, sharedScript("old", &loaded) })
	if !stored(t, e, img.ID).InUse || !stored(t, e, old.ImageID).InUse {
		t.Error("an image of a session is said not to be in use")
	}
	wantError(t, e.RemoveImage(t.Context(), img.ID), ErrInUse)
	now := session(t, e, img, func(s *Spec) { s.Files, s.Shared = nil, sharedScript("new", &loaded) })
	ref := stored(t, e, now.ImageID).Refs[0]
	e.dropOutdated(t.Context(), img.ID, ref, 0)
	if stored(t, e, old.ImageID).ID == "" {
		t.Error("the other version's image is gone although a session uses it")
	}
	if err := e.Remove(t.Context(), old.ID); err != nil {
		t.Fatal(err)
	}
	e.dropOutdated(t.Context(), img.ID, ref, outdatedAge)
	if stored(t, e, old.ImageID).ID == "" {
		t.Error("the other version's image is gone right after its last use")
	}
	e.dropOutdated(t.Context(), img.ID, ref, 0)
	if stored(t, e, old.ImageID).ID != "" || stored(t, e, now.ImageID).ID == "" {
		t.Error("the other version's image is still there, or this one's is not")
	}
}

// What a VOLUME of the image would hide is copied into the container.
func TestSharedFilesBelowAVolume(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	img, _ := ensure(t, e, ImageSpec{Dir: repository(t, map[string]string{"Dockerfile.sketch": "FROM " + baseImage() + "\nVOLUME /opt/\n"})})
	var loaded atomic.Int32
	c := session(t, e, img, func(s *Spec) { s.Files, s.Shared = nil, sharedScript("hidden", &loaded) })
	if got := inside(t, e, c.ID, "tail -n 1 "+AgentPath); !strings.Contains(got, "echo hidden") {
		t.Errorf("the file is %q", got)
	}
}

// An engine that cannot make images of containers has the files copied into each.
func TestSharedFilesWithoutCommit(t *testing.T) {
	t.Parallel()
	var from, copied []string
	e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/commit":
			fail(http.StatusInternalServerError, "commit is not supported")(w, r)
		case strings.HasPrefix(r.URL.Path, "/images/"), r.Method == http.MethodHead:
			fail(http.StatusNotFound, "No such image")(w, r)
		case r.URL.Path == "/networks":
			io.WriteString(w, `[{"Name":"sketch-ide","Id":"n"}]`)
		case r.URL.Path == "/containers/create":
			from = append(from, r.URL.Query().Get("name"))
			io.WriteString(w, `{"Id":"c"}`)
		case r.Method == http.MethodPut:
			copied = append(copied, r.URL.Path)
		default:
			io.WriteString(w, `{"Id":"c"}`)
		}
	})
	var loaded atomic.Int32
	if _, err := e.Create(t.Context(), Spec{Name: "sketch-a-b", Image: Image{ID: "sha256:0123456789abcdef"}, Shared: sharedScript("x", &loaded)}); err != nil {
		t.Fatal(err)
	}
	if loaded.Load() != 2 || len(copied) != 2 || from[len(from)-1] != "sketch-a-b" {
		t.Errorf("loaded %d times, copied %v, created %v", loaded.Load(), copied, from)
	}
}
