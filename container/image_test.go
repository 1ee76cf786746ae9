package container

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-cmp/cmp"
)

func TestImageSources(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		files  map[string]string
		args   map[string]string
		source string
		marker string // content of /marker
	}{
		{
			name:   "generated",
			source: baseImage(),
		},
		{
			name: "folder",
			files: map[string]string{
				".sketch/Dockerfile": "FROM " + baseImage() + "\nCOPY marker /marker\n",
				".sketch/marker":     "folder",
				"Dockerfile.sketch":  "FROM nonsense\n",
			},
			source: ".sketch/Dockerfile",
			marker: "folder",
		},
		{
			name: "file",
			files: map[string]string{
				"Dockerfile.sketch": "ARG BASE=nonsense\nFROM ${BASE}\nARG WHO\nCOPY sub/marker /marker\nRUN echo \" $WHO\" >>/marker\n",
				"sub/marker":        "file of",
			},
			args:   map[string]string{"WHO": "mine", "BASE": baseImage()},
			source: "Dockerfile.sketch",
			marker: "file of mine",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := testEngine(t)
			spec := ImageSpec{Dir: repository(t, tt.files), BaseImage: baseImage(), BuildArgs: tt.args}
			img, news := ensure(t, e, spec)
			if img.Source != tt.source || img.Cached || img.Arch != e.Arch() || img.Home != "/root" || !img.Bash {
				t.Errorf("image is %+v", img)
			}
			if !news.has(StageBuild, "Step 1/") {
				t.Errorf("progress has no step: %v", news.all)
			}
			again, news := ensure(t, e, spec)
			if !again.Cached || len(news.all) != 0 {
				t.Errorf("second time: cached is %v, progress %v", again.Cached, news.all)
			}
			again.Cached = false
			if diff := cmp.Diff(img, again); diff != "" {
				t.Errorf("second time differs: %s", diff)
			}
			if tt.marker == "" {
				return
			}
			c := session(t, e, img, nil)
			if got := inside(t, e, c.ID, "cat /marker | tr -d '\\n'"); got != tt.marker {
				t.Errorf("/marker is %q, want %q", got, tt.marker)
			}
		})
	}
}

func TestImageRebuild(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	dir := repository(t, map[string]string{
		"Dockerfile.sketch": "FROM " + baseImage() + "\nCOPY . /src\n",
		".dockerignore":     "ignored\n*.log\n!keep.log\n",
		"kept":              "1",
		"keep.log":          "1",
		"ignored/file":      "1",
		".git/HEAD":         "1",
	})
	spec := ImageSpec{Dir: dir}
	first, _ := ensure(t, e, spec)
	c := session(t, e, first, nil)
	if got := inside(t, e, c.ID, "cd /src && find . -type f | sort | tr '\\n' ' '"); got != "./.dockerignore ./Dockerfile.sketch ./keep.log ./kept" {
		t.Errorf("context is %s", got)
	}

	writeFile(t, filepath.Join(dir, "ignored/file"), "2")
	writeFile(t, filepath.Join(dir, "more.log"), "2")
	writeFile(t, filepath.Join(dir, ".git/HEAD"), "2")
	if same, _ := ensure(t, e, spec); !same.Cached {
		t.Error("a change of excluded files rebuilt the image")
	}
	writeFile(t, filepath.Join(dir, "kept"), "2")
	second, _ := ensure(t, e, spec)
	if second.Cached || second.ID == first.ID || second.Ref == first.Ref {
		t.Errorf("a change of the context gave %+v after %+v", second, first)
	}
	spec.Rebuild = true
	if third, _ := ensure(t, e, spec); third.Cached || third.ID == second.ID || third.Ref != second.Ref {
		t.Errorf("Rebuild gave %+v after %+v", third, second)
	}
}

func TestImageFollowsItsBase(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	base := "sketch-ide-test/" + slug(filepath.Base(t.TempDir())) + "-" + e.version + ":latest"
	build := func(text string) {
		t.Helper()
		_, err := e.build(t.Context(), buildSpec{
			dockerfile: "Dockerfile", tag: base, write: singleFile([]byte("FROM " + baseImage() + "\n" + text)),
			labels: map[string]string{LabelVersion: e.version},
		}, newReporter(nil))
		if err != nil {
			t.Fatal(err)
		}
	}
	build("ENV GENERATION=1")
	spec := ImageSpec{Dir: repository(t, nil), BaseImage: base}
	first, _ := ensure(t, e, spec)
	build("ENV GENERATION=2")
	second, _ := ensure(t, e, spec)
	if second.Cached || second.ID == first.ID {
		t.Error("another base image did not rebuild the image")
	}
	if _, err := e.api.ImageRemove(t.Context(), base, image.RemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if third, _ := ensure(t, e, spec); !third.Cached {
		t.Error("the base image's removal rebuilt the image")
	}
}

func TestBuildFailureShowsItsEnd(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	dir := repository(t, map[string]string{
		"Dockerfile.sketch": "FROM " + baseImage() + "\nRUN for i in $(seq 100); do echo line $i; done; printf '\\033[31mno such thing\\033[0m\\n'; exit 7\n",
	})
	_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: dir}, nil)
	failure, ok := errors.AsType[*BuildError](err)
	if !ok {
		t.Fatalf("error is %v", err)
	}
	if len(failure.Lines) != maxLines || !strings.Contains(strings.Join(failure.Lines, "\n"), "line 100") || failure.Lines[maxLines-1] != "no such thing" {
		t.Errorf("lines are %q", failure.Lines)
	}
	if !strings.HasPrefix(failure.Step, "2/") || !strings.Contains(failure.Reason, "non-zero code: 7") || failure.Dockerfile != "Dockerfile.sketch" {
		t.Errorf("failure is %+v", failure)
	}
}

func TestPullFailure(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: repository(t, nil), BaseImage: "localhost:1/no/such:image"}, nil)
	failure, ok := errors.AsType[*PullError](err)
	if !ok || failure.Ref != "localhost:1/no/such:image" || failure.Reason == "" || failure.Hint == "" {
		t.Errorf("error is %#v", err)
	}
}

func TestGitIsAdded(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	dir := repository(t, map[string]string{
		"Dockerfile.sketch": "FROM " + baseImage() + "\nRUN apt-get remove -y git && useradd -m dev\nUSER dev\nENV MINE=1\nWORKDIR /home/dev\nENTRYPOINT [\"/bin/false\"]\n",
	})
	img, news := ensure(t, e, ImageSpec{Dir: dir})
	if !news.has(StageLayer, "apt-get") {
		t.Errorf("progress does not tell of the layer: %v", news.all)
	}
	if img.User != "dev" || img.UID != 1000 || img.Home != "/home/dev" {
		t.Errorf("image is %+v", img)
	}
	c := session(t, e, img, nil)
	if got := inside(t, e, c.ID, "git --version | cut -d' ' -f1; id -un; echo $MINE; pwd"); got != "git\ndev\n1\n/home/dev" {
		t.Errorf("inside: %q", got)
	}
}

// minimal builds an image with nothing but what cp puts into /out. Its first stage, which stays behind as a nameless
// image, has the label by which the test removes it.
func minimal(e *Engine, cp string) string {
	return "FROM " + baseImage() + " AS b\nRUN mkdir /out && cd /out && " + cp + "\nLABEL " + LabelVersion + "=" + e.version +
		"\nFROM scratch\nCOPY --from=b /out /\n"
}

func TestUnusableImages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cp   string
		want error
	}{
		{
			name: "no git, no package manager",
			cp:   "mkdir bin && cp /bin/dash bin/sh && cp -L --parents $(ldd /bin/dash | grep -o '/[^ ]*') .",
			want: ErrNoGit,
		},
		{name: "no shell", cp: "touch file", want: ErrNoShell},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := testEngine(t)
			dir := repository(t, map[string]string{".sketch/Dockerfile": minimal(e, tt.cp)})
			_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: dir}, nil)
			wantError(t, err, tt.want)
			left, err := e.listKind(t.Context(), KindProbe)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range left {
				if c.Labels[LabelVersion] == e.version {
					t.Errorf("probe %s is left behind", c.Name)
				}
			}
		})
	}
}

func TestContextTooBig(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	dir := repository(t, map[string]string{
		"Dockerfile.sketch":  "FROM " + baseImage() + "\nCOPY . /src\n",
		"node_modules/x/big": strings.Repeat("x", 3<<20),
	})
	_, err := e.EnsureImage(t.Context(), ImageSpec{Dir: dir, MaxContext: 1 << 20}, nil)
	wantError(t, err, ErrTooBig)
	if text := err.Error(); !strings.Contains(text, ".dockerignore") || !strings.Contains(text, "node_modules, 3 MiB") {
		t.Errorf("error says %q", text)
	}
}

func TestWrongArch(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, dockerfile string }{
		{name: "found by the probe"},
		{name: "found by a step", dockerfile: "FROM %\nRUN true\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := testEngine(t)
			foreign := importForeign(t, e)
			spec := ImageSpec{Dir: repository(t, nil), BaseImage: foreign}
			if tt.dockerfile != "" {
				writeFile(t, filepath.Join(spec.Dir, "Dockerfile.sketch"), strings.ReplaceAll(tt.dockerfile, "%", foreign))
			}
			_, err := e.EnsureImage(t.Context(), spec, nil)
			wantError(t, err, ErrWrongArch)
			if wrong, ok := errors.AsType[*WrongArchError](err); !ok || wrong.Image == wrong.Engine || wrong.Engine != e.Arch() {
				t.Errorf("error is %#v", err)
			}
		})
	}
}

// importForeign loads an image whose sh is for a processor that this engine is not.
func importForeign(t *testing.T, e *Engine) string {
	t.Helper()
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2MSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_S390), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
	}
	var sh bytes.Buffer
	if err := binary.Write(&sh, binary.BigEndian, header); err != nil {
		t.Fatal(err)
	}
	layer := archive(t, map[string][]byte{"bin/sh": sh.Bytes()})
	ref := "sketch-ide-test/foreign:" + e.version
	body, err := e.api.ImageLoad(t.Context(), bytes.NewReader(archive(t, map[string][]byte{
		"layer.tar": layer,
		"config.json": fmt.Appendf(nil, `{"architecture":"s390x","os":"linux","config":{"Env":["PATH=/bin"],"Labels":{%q:%q}},"rootfs":{"type":"layers","diff_ids":["sha256:%x"]}}`,
			LabelVersion, e.version, sha256.Sum256(layer)),
		"manifest.json": fmt.Appendf(nil, `[{"Config":"config.json","RepoTags":[%q],"Layers":["layer.tar"]}]`, ref),
	})))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Body.Close()
	if out, err := io.ReadAll(body.Body); err != nil || strings.Contains(string(out), "error") {
		t.Fatalf("load: %v %s", err, out)
	}
	return ref
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var list []File
	for name, content := range files {
		list = append(list, File{Path: "/" + name, Mode: 0o755, Content: content})
	}
	buf, err := archiveOf(list, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
