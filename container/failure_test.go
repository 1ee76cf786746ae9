package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-cmp/cmp"
)

// TestFailuresForPeople is what somebody reads who made a mistake.
func TestFailuresForPeople(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		dockerfile string // after FROM
		whole      string // instead
		reason     string
		step       string
		hint       string
		never      string // in the hint
	}{
		{name: "unknown user", dockerfile: "USER nosuch", reason: "the image's user is nosuch, and it has no such user", hint: "useradd"},
		{name: "unknown group", dockerfile: "USER root:nosuch", reason: "the image's user is root:nosuch", hint: "useradd"},
		{name: "empty", whole: "\n# nothing\n", reason: "it is empty", hint: "FROM"},
		{name: "no FROM", whole: "ARG X=1\n", reason: "it has no FROM", hint: "FROM"},
		{name: "many images", whole: func() string {
			var b strings.Builder
			for i := range maxBases + 1 {
				fmt.Fprintf(&b, "FROM image%d\n", i)
			}
			return b.String()
		}(), reason: "more than 100 images"},
		{name: "typo", dockerfile: "RNU true", reason: "unknown instruction: RNU", hint: "spelling", never: "BuildKit"},
		{name: "typo of the first", whole: "FRM x\n", reason: "unknown instruction: FRM", hint: "spelling", never: "BuildKit"},
		{name: "here-document", dockerfile: "RUN <<EOF\necho a\nEOF", reason: "", hint: "BuildKit"},
		{name: "mount", dockerfile: "RUN --mount=type=cache,target=/x true", reason: "", hint: "BuildKit"},
		{name: "escapes in an instruction", dockerfile: "RUN\x1b]0;title\x07 true", reason: "", hint: ""},
		{name: "escapes in output", dockerfile: `RUN printf 'a\033]0;t\007b\033[2Jc\n'; exit 3`, reason: "code: 3", step: "2/", hint: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := testEngine(t)
			text := "FROM " + baseImage() + "\n" + tt.dockerfile + "\n"
			if tt.whole != "" {
				text = tt.whole
			}
			var news recorder
			_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, map[string]string{"Dockerfile.sketch": text})}, news.report)
			failure, ok := errors.AsType[*BuildError](err)
			if !ok {
				t.Fatalf("error is %#v", err)
			}
			t.Logf("%v\nhint: %s\n%q", failure, failure.Hint, failure.Lines)
			if failure.Dockerfile != "Dockerfile.sketch" || !strings.Contains(failure.Reason, tt.reason) || !strings.HasPrefix(failure.Step, tt.step) || !strings.Contains(failure.Hint, tt.hint) {
				t.Errorf("failure is %+v", failure)
			}
			if tt.never != "" && strings.Contains(failure.Hint, tt.never) {
				t.Errorf("hint talks about %s: %s", tt.never, failure.Hint)
			}
			wantPlain(t, append(failure.Lines, failure.Error(), failure.Hint)...)
		})
	}
}

// wantPlain fails for what a terminal would obey.
func wantPlain(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q has control characters", line)
		}
	}
}

func TestBadReferences(t *testing.T) {
	t.Parallel()
	e := fakeEngine(t, fail(500, "must not be asked"))
	for _, ref := range []string{"bad image!!", "Upper/Case", "foo\x1b[31m", "a\nRUN true", "a:b:c"} {
		for _, spec := range []ImageSpec{
			{Dir: repository(t, nil), BaseImage: ref},
			{Dir: repository(t, map[string]string{"Dockerfile.sketch": "FROM \"" + strings.ReplaceAll(strings.ReplaceAll(ref, "\n", "!"), " ", "!") + "\"\n"})},
		} {
			_, err := e.EnsureImage(t.Context(), spec, nil)
			failure, ok := errors.AsType[*PullError](err)
			if !ok || !strings.Contains(failure.Reason, "invalid reference format") || !strings.Contains(failure.Hint, "debian:bookworm") {
				t.Errorf("%q: error is %v", ref, err)
				continue
			}
			wantPlain(t, failure.Error(), failure.Ref, failure.Reason, failure.Hint)
		}
	}
	for _, ref := range []string{"debian", "sha256:" + strings.Repeat("a", 64), strings.Repeat("a", 64), "localhost:5000/a/b:1@sha256:" + strings.Repeat("a", 64)} {
		if err := checkReference(ref); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestReasonsArePlain(t *testing.T) {
	t.Parallel()
	e := fakeEngine(t, fail(500, `first\nsecond \u001b[31mred\u0007`))
	_, err := e.Inspect(t.Context(), "x")
	if err == nil || err.Error() != "inspect container: first second red" {
		t.Errorf("error says %q", err)
	}
	_, err = e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, nil), BaseImage: "a"}, nil)
	wantPlain(t, err.Error())
}

// TestGitCannotBeAdded: the package manager is broken or offline. That is nobody's Dockerfile.
func TestGitCannotBeAdded(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	text := "FROM " + baseImage() + "\nRUN apt-get remove -y git >/dev/null && printf '#!/bin/sh\\necho no network; exit 100\\n' >/usr/bin/apt-get\n"
	_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, map[string]string{"Dockerfile.sketch": text})}, nil)
	failure, ok := errors.AsType[*BuildError](err)
	if !ok {
		t.Fatalf("error is %#v", err)
	}
	if !strings.Contains(failure.Error(), "git could not be added to the image with apt-get") || !strings.Contains(failure.Hint, "Add it in Dockerfile.sketch") || failure.Dockerfile != "" || failure.Code != 100 {
		t.Errorf("failure is %+v", failure)
	}
	if len(failure.Lines) == 0 || failure.Lines[len(failure.Lines)-1] != "no network" {
		t.Errorf("lines are %q", failure.Lines)
	}
}

func TestImageDoesNotStart(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	// A shell that is there and ends at once.
	text := "FROM " + baseImage() + "\nRUN mv /bin/sh /bin/sh.real && printf '#!/bin/sh.real\\necho broken; exit 9\\n' >/bin/sh2 && chmod +x /bin/sh2 && ln -s sh2 /bin/sh\n"
	_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, map[string]string{"Dockerfile.sketch": text})}, nil)
	failure, ok := errors.AsType[*BuildError](err)
	if !ok || !strings.Contains(failure.Reason, "sh ended with 9: broken") || failure.Hint == "" {
		t.Errorf("error is %v", err)
	}
}

// signalError is what signal.NotifyContext gives as the cause.
type signalError struct{}

func (signalError) Error() string { return "interrupt signal received" }

func TestInterruptedProbe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/create"):
			w.Write([]byte(`{"Id":"x"}`))
		case strings.HasSuffix(r.URL.Path, "/start"):
			cancel(signalError{})
			<-r.Context().Done()
		case strings.HasSuffix(r.URL.Path, "/wait"):
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	_, err := e.runProbe(ctx, "x", "")
	wantError(t, err, context.Canceled)
	wantError(t, err, signalError{})
	if err.Error() != "start probe: context canceled" {
		t.Errorf("error says %q", err)
	}
}

// TestProbeTakesTooLong: that is no deadline of the caller's.
func TestProbeTakesTooLong(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errProbeSlow)
	defer cancel()
	<-ctx.Done()
	b := imageBuild{src: source{name: "a"}}
	err := b.unstartable(image.InspectResponse{}, wrap(ctx, "start probe", ctx.Err()))
	if !strings.HasSuffix(err.Error(), "does not start: it took longer than 1m0s") {
		t.Errorf("error says %q", err)
	}
}

func TestContextError(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	_, err := Connect(t.Context(), Options{Getenv: env(map[string]string{"HOME": home, "DOCKER_CONTEXT": "nosuch"})})
	failure, ok := errors.AsType[*ContextError](err)
	if !ok || !errors.Is(err, ErrNoEngine) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error is %#v", err)
	}
	if failure.Hint() != "Unset DOCKER_CONTEXT, or set it to another one; there are: default." {
		t.Errorf("hint is %s", failure.Hint())
	}
	writeContext(t, home, "work", `{"Name":"work","Endpoints":{}}`)
	writeContext(t, home, "evil", `{"Name":"e\u001b[2Jvil","Endpoints":{}}`)
	writeContext(t, home, "broken", `{"Name`)
	writeFile(t, home+"/.docker/config.json", `{"currentContext":"work"}`)
	_, err = Connect(t.Context(), Options{Getenv: env(map[string]string{"HOME": home})})
	if failure, ok = errors.AsType[*ContextError](err); !ok {
		t.Fatalf("error is %#v", err)
	}
	if failure.Error() != `docker context "work", chosen by docker context use: it has no docker endpoint` {
		t.Errorf("error says %s", failure)
	}
	if diff := cmp.Diff([]string{"default", "evil", "work"}, failure.Known); diff != "" {
		t.Error(diff)
	}
}
