package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
)

// writeFiles puts files into a repository's working tree.
func writeFiles(t *testing.T, repo string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(repo, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDevcontainer starts a session that devcontainer.json describes: what is granted is there, what is not is told, and commands have run.
func TestDevcontainer(t *testing.T) {
	t.Setenv("SKETCH_TEST_TOKEN", "token")
	t.Setenv("SKETCH_TEST_PRIVATE", "private")
	repo := newRepo(t)
	writeFiles(t, repo, map[string]string{
		".devcontainer/image/Dockerfile": `ARG BASE
FROM ${BASE} AS tools
ARG WHO
RUN echo "made for $WHO" >/made
FROM tools AS dev
RUN useradd -m -s /bin/bash dev && mkdir /cache && chown dev /cache
COPY shared.txt /shared.txt
USER root
FROM dev AS later
RUN false
`,
		"shared.txt": "from the context\n", ".dockerignore": "*\n!shared.txt\n",
		".devcontainer/devcontainer.json": fmt.Sprintf(`{
			"build": {"dockerfile": "image/Dockerfile", "context": "..", "target": "dev", "args": {"BASE": %q, "WHO": "${localWorkspaceFolderBasename}"}},
			"remoteUser": "dev",
			"workspaceFolder": "/srv/project",
			"workspaceMount": "source=${localWorkspaceFolder},target=/srv/project,type=bind",
			"containerEnv": {"PLAIN": "in the container", "TOKEN": "${localEnv:SKETCH_TEST_TOKEN}", "PRIVATE": "<${localEnv:SKETCH_TEST_PRIVATE}>"},
			"remoteEnv": {"PATH": "${containerEnv:PATH}:/opt/more", "TOOL": "${containerWorkspaceFolder}/tool", "LANG": null},
			"mounts": ["source=cache-${devcontainerId},target=/cache,type=volume", "source=${localEnv:HOME}/.ssh,target=/home/dev/.ssh,type=bind", "target=/scratch,type=tmpfs"],
			"privileged": true, "capAdd": ["SYS_ADMIN"], "runArgs": ["--network=host"], "initializeCommand": "touch /tmp/never",
			"onCreateCommand": "echo created as $(whoami) >>~/log",
			"updateContentCommand": ["sh", "-c", "echo updated $0 >>~/log", "with words"],
			"postCreateCommand": {"one": "echo one; pwd >~/one", "two": "echo two >~/two; echo lost hope; exit 3"},
			"postStartCommand": "echo start >>~/starts; exec sleep 12345"
		}`, baseImage()),
	})
	store := newStore(t)
	w := open(t, store)
	w.Configure(session.Settings{BaseImage: "none-of-this:name", Container: session.ContainerSettings{EnvForward: []string{"SKETCH_TEST_TOKEN"}}})
	t.Cleanup(func() { removeVolumes(t, repo) }) // after the container
	info := w.start(repo)
	for _, tt := range []struct{ script, want string }{
		{"whoami; pwd; git log --format=%s -1", "dev\n/srv/project\nfirst"},
		{"cat /made /shared.txt", "made for my app\nfrom the context"},
		{`echo "$PLAIN $TOKEN $PRIVATE ${LANG-unset} $TOOL"; case $PATH in *:/opt/more*) echo path; esac`, "in the container token <> unset /srv/project/tool\npath"},
		{"touch /cache/x && stat -f -c %T /scratch; ls /home/dev/.ssh 2>/dev/null | wc -l; ls /tmp/never 2>/dev/null | wc -l", "tmpfs\n0\n0"},
		{"cat ~/log ~/one ~/two", "created as dev\nupdated with words\n/srv/project\ntwo"},
		{"grep CapEff /proc/self/status", "CapEff:\t0000000000000000"},
	} {
		if got := w.output(info.Name, tt.script); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.script, got, tt.want)
		}
	}
	w.output(info.Name, "while ! [ -s ~/starts ]; do sleep 0.1; done")
	refused, ok := errors.AsType[*session.RefusedError](w.problems())
	for _, want := range []string{"privileged", "SYS_ADMIN", "--network=host", "initializeCommand", ".ssh of this machine", "SKETCH_TEST_PRIVATE"} {
		if !ok || !strings.Contains(refused.Error(), want) {
			t.Errorf("%s is not told as refused: %v", want, refused)
		}
	}
	hook, ok := errors.AsType[*session.HookError](w.problems())
	if !ok || hook.Hook != "postCreateCommand.two" || len(hook.Lines) == 0 || hook.Lines[len(hook.Lines)-1] != "lost hope" {
		t.Errorf("the failed command is told as %+v", hook)
	}
	if env := dockerOutput(t, "inspect", "-f", "{{.Config.Env}} {{.HostConfig.Privileged}} {{.HostConfig.NetworkMode}} {{json .HostConfig.Binds}}", info.Container); strings.Contains(env, "token") || !strings.Contains(env, " false sketch-ide null") {
		t.Errorf("the engine has %s", env)
	}

	// What a start began lives on without the window, and is not begun again by the next one.
	w.close()
	w = open(t, store)
	w.start(repo)
	orphaned := `while id=$(pgrep -x -f "sleep 12345") && [ "$(ps -o ppid= -p $id)" -ne 1 ]; do sleep 0.1; done; ` // by the end of what ran it, of which none is to be its own
	if got := w.output(info.Name, orphaned+`pgrep -c -x -f "sleep 12345"; wc -l <~/starts`); got != "1\n1" {
		t.Errorf("after reattaching, postStartCommand's processes and runs: %q", got)
	}

	// A resumed session runs the commands of a start again, and of the creation not.
	if err := w.Stop(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	w.await(info.Name, "stop", func(i session.Info) bool { return i.State == session.Stopped })
	w.close()
	w = open(t, store)
	w.start(repo)
	w.output(info.Name, "while [ $(wc -l <~/starts) -lt 2 ]; do sleep 0.1; done")
	if got := w.output(info.Name, "wc -l <~/log"); strings.TrimSpace(got) != "2" {
		t.Errorf("the creation's commands ran again: %s lines", got)
	}
}

// problems are what was told so far.
func (w *window) problems() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.wrong...)
}

// removeVolumes removes the volumes of a folder's sessions. The test's context has ended.
func removeVolumes(t *testing.T, folder string) {
	t.Helper()
	list, err := exec.CommandContext(context.Background(), "docker", "volume", "ls", "-q", "--filter", "label="+container.LabelFolder+"="+folder).Output()
	if err != nil || len(list) == 0 {
		t.Errorf("no volume is labelled: %v", err)
		return
	}
	if out, err := exec.CommandContext(context.Background(), "docker", append([]string{"volume", "rm"}, strings.Fields(string(list))...)...).CombinedOutput(); err != nil {
		t.Errorf("remove volumes: %v\n%s", err, out)
	}
}

func TestDevcontainerThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ json, says string }{
		"features": {`{"image": "x", "features": {"ghcr.io/devcontainers/features/node:1": {}}}`, `"ghcr.io/devcontainers/features/node:1"`},
		"compose":  {`{"dockerComposeFile": "compose.yml", "service": "app"}`, "dockerComposeFile"},
		"syntax":   {`{"image": `, "parsing value"},
		"outside":  {`{"build": {"dockerfile": "../../Dockerfile"}}`, "build.dockerfile"},
		"user":     {`{"image": "` + baseImage() + `", "remoteUser": "x\nRUN touch /y"}`, "the user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, store := newRepo(t), newStore(t)
			writeFiles(t, repo, map[string]string{".devcontainer/devcontainer.json": tt.json})
			w := open(t, store)
			_, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, nil)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want %q", err, tt.says)
			}
			if names, err := store.Names(); err != nil || len(names) > 0 {
				t.Errorf("left behind: %v, %v", names, err)
			}
		})
	}
	t.Run("with a Dockerfile in its place", func(t *testing.T) {
		t.Parallel()
		repo := newRepo(t)
		writeFiles(t, repo, map[string]string{
			".devcontainer/devcontainer.json": `{"image": "x", "features": {"node": {}}}`,
			".sketch/Dockerfile":              "FROM " + baseImage() + "\nENV MINE=1\n",
		})
		w := open(t, newStore(t))
		info := w.start(repo)
		if got := w.output(info.Name, "echo $MINE"); got != "1" {
			t.Errorf("MINE is %q", got)
		}
		if refused, ok := errors.AsType[*session.RefusedError](w.problems()); !ok || !strings.Contains(refused.Error(), "node") {
			t.Errorf("told %v", w.problems())
		}
	})
}

// TestPruneRemovesVolumes: a volume stays for as long as its folder has a session.
func TestPruneRemovesVolumes(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	w := open(t, store, func(c *session.Config) {
		c.Connect = func(ctx context.Context) (session.Engine, error) {
			return container.Connect(ctx, container.Options{Owner: store.ID()})
		}
	})
	writeFiles(t, repo, map[string]string{".devcontainer/devcontainer.json": `{"mounts": ["source=data,target=/data,type=volume"]}`})
	info := w.start(repo)
	w.output(info.Name, "echo kept >/data/file")
	volumes := func(dry bool) []session.Pruned {
		t.Helper()
		removed, err := w.Prune(t.Context(), session.PruneOptions{KeepImages: true, DryRun: dry})
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(removed, func(p session.Pruned) bool { return p.Kind != "volume" })
	}
	if got := volumes(false); len(got) > 0 {
		t.Errorf("removed %v beside a session", got)
	}
	// Another session of the folder has the same volume.
	if err := w.Remove(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	info = w.start(repo)
	if got := w.output(info.Name, "cat /data/file"); got != "kept" {
		t.Errorf("the volume has %q", got)
	}
	if err := w.Remove(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	if dry, got := volumes(true), volumes(false); len(dry) != 1 || len(got) != 1 || dry[0].Name != got[0].Name || !strings.HasSuffix(got[0].Name, "-data") {
		t.Errorf("would remove %v, and removed %v", dry, got)
	}
}
