package container

import (
	"errors"
	"testing"
)

func TestNamedDockerfile(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	dir := repository(t, map[string]string{
		"docker/Dockerfile": "FROM " + baseImage() + " AS first\nRUN useradd -m dev\nCOPY . /src\nFROM first\nRUN false\n",
		"app/file":          "1",
		"app/.dockerignore": "left-out\n",
		"app/left-out":      "1",
		"elsewhere":         "1",
		"Dockerfile.sketch": "FROM nonsense\n",
	})
	spec := ImageSpec{Dir: dir, Dockerfile: "docker/Dockerfile", Context: "app", Target: "first", User: "dev"}
	img, _ := ensure(t, e, spec)
	if img.User != "dev" || img.UID != 1000 || img.Home != "/home/dev" || img.Source != "docker/Dockerfile" {
		t.Errorf("image is %+v", img)
	}
	c := session(t, e, img, nil)
	if got := inside(t, e, c.ID, "whoami; ls /src"); got != "dev\nfile" {
		t.Errorf("inside: %q", got)
	}
	if again, news := ensure(t, e, spec); !again.Cached || len(news.all) > 0 {
		t.Errorf("the second time built %v", news.all)
	}
	spec.User = ""
	if root, _ := ensure(t, e, spec); root.Cached || root.UID != 0 {
		t.Errorf("without a user: %+v", root)
	}
	writeFile(t, dir+"/docker/Dockerfile", "FROM "+baseImage()+" AS first\nRUN useradd -m dev && true\nCOPY . /src\n")
	if changed, _ := ensure(t, e, spec); changed.Cached {
		t.Error("a change of the Dockerfile outside the context built nothing")
	}
	for name, bad := range map[string]ImageSpec{
		"missing":         {Dir: dir, Dockerfile: "none"},
		"user's commands": {Dir: dir, Image: baseImage(), User: "root\nRUN touch /x"},
		"no such user":    {Dir: dir, Image: baseImage(), User: "nobody-of-this-name"},
		"no such stage":   {Dir: dir, Dockerfile: "docker/Dockerfile", Target: "none"},
	} {
		if _, err := e.EnsureImage(t.Context(), bad, nil); err == nil {
			t.Errorf("%s: no error", name)
		} else if failure, ok := errors.AsType[*BuildError](err); !ok || failure.Hint == "" && name != "no such stage" {
			t.Errorf("%s: %#v", name, err)
		}
	}
}
