package container

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"
)

func TestOurs(t *testing.T) {
	t.Parallel()
	summary := func(kind, name, command string) container.Summary {
		return container.Summary{
			Names: []string{name}, Command: command,
			Labels: map[string]string{LabelKind: kind, LabelSession: "sketch-a-b"},
		}
	}
	tests := []struct {
		name string
		in   container.Summary
		want bool
	}{
		{"session", summary(KindSession, "/sketch-a-b", AgentPath+" agent"), true},
		{"linked session", container.Summary{
			Names: []string{"/other/alias", "/sketch-a-b"}, Command: AgentPath + " agent",
			Labels: map[string]string{LabelKind: KindSession, LabelSession: "sketch-a-b"},
		}, true},
		{"session of Podman", summary(KindSession, "/sketch-a-b", ""), true},
		{"build step of Podman", summary(KindSession, "/naughty_turing", ""), false},
		{"build step", summary(KindSession, "/naughty_turing", "/bin/sh -c true"), false},
		{"build step with our words", summary(KindSession, "/naughty_turing", AgentPath+" agent"), false},
		{"another's of that name", summary(KindSession, "/sketch-a-b", "sleep 1000"), false},
		{"probe", summary(KindProbe, "/sketch-ide-probe-abc", "sh -c x"), true},
		{"build step as a probe", summary(KindProbe, "/naughty_turing", "sh -c x"), false},
		{"no kind", summary("", "/sketch-a-b", AgentPath+" agent"), false},
		{"nothing", container.Summary{}, false},
	}
	for _, tt := range tests {
		if got := ours(tt.in); got != tt.want {
			t.Errorf("%s: ours is %v", tt.name, got)
		}
	}
}

func TestProbesLeaveThoseAtWork(t *testing.T) {
	t.Parallel()
	ages := map[string]time.Duration{"hour": time.Hour, "minutes": 3 * time.Minute, "young": time.Minute}
	e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/containers/json" {
			var rows []string
			for name := range ages {
				rows = append(rows, fmt.Sprintf(`{"Id":%q,"Names":["/sketch-ide-probe-%s"],"Labels":{%q:"probe"}}`, name, name, LabelKind))
			}
			fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
			return
		}
		name := strings.Split(r.URL.Path, "/")[2]
		fmt.Fprintf(w, `{"Id":%q,"Created":%q}`, name, time.Now().Add(-ages[name]).Format(time.RFC3339Nano))
	})
	for older, want := range map[time.Duration][]string{0: {"hour", "minutes"}, 10 * time.Minute: {"hour"}, 2 * time.Hour: nil} {
		list, err := e.Probes(t.Context(), older)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range list {
			got = append(got, c.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("older than %v: %s", older, diff)
		}
	}
}

// A Dockerfile may carry any label; the containers that the builder makes for its steps have them all.
func TestListPassesOverBuildSteps(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	img := plainImage(t, e)
	mine := session(t, e, img, nil)
	created, err := e.api.ContainerCreate(t.Context(), &container.Config{
		Image: img.ID, Entrypoint: []string{"true"},
		Labels: map[string]string{LabelKind: KindSession, LabelSession: mine.Name, LabelVersion: e.version},
	}, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	has := func(id string) bool { return slices.ContainsFunc(list, func(c Container) bool { return c.ID == id }) }
	if !has(mine.ID) || has(created.ID) {
		t.Errorf("list has the session: %v, the other: %v", has(mine.ID), has(created.ID))
	}
}

func TestOwner(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	spec := ImageSpec{Dir: repository(t, nil), BaseImage: baseImage()}
	img, _ := ensure(t, e, spec)
	c := session(t, e, img, nil)
	if c.Owner() != e.owner {
		t.Errorf("container's owner is %q", c.Owner())
	}
	other := *e
	other.owner = ""
	if again, _ := ensure(t, &other, spec); !again.Cached {
		t.Error("another owner built the image anew")
	}
	if c := session(t, &other, img, nil); c.Owner() != "" {
		t.Errorf("owner of a container without one is %q", c.Owner())
	}
	images, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(images, func(s StoredImage) bool { return s.ID == img.ID })
	if i < 0 || images[i].Owner != e.owner {
		t.Errorf("image is not among %+v, or not ours", images)
	}
}
