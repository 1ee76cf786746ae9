package repo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

const (
	// maxServing is how many fetches run at once; more wait, so that a container cannot fill the host with processes.
	maxServing = 4
	// maxInput is how much a client may send: a fetch from a repository with a million local commits sends less.
	maxInput = 64 << 20
	// idleSeconds is how long git waits for a client that sends or takes nothing.
	idleSeconds = "300"
)

// ServeUploadPack serves one fetch on rw, and returns when the client has what it wants or is gone. It closes rw, which must
// end a Read or Write that is blocked. It is read-only. The client sees branches, tags, HEAD as it is now, and the commit r.Head
// as refs/sketch/base, and can ask for what these reach and nothing else.
//
// It speaks version 0 of the protocol whatever the client prefers: in version 2 a client may want any object by its name
// (gitprotocol-v2(5), "want"), commits that were amended away and refs outside branches and tags included.
//
// When ctx ends, git and what it started are killed. At most four fetches of a Repo run at once; others wait.
func (r *Repo) ServeUploadPack(ctx context.Context, rw io.ReadWriteCloser) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	end := sync.OnceFunc(func() { _ = rw.Close() }) // the client may have gone first
	defer end()
	defer context.AfterFunc(ctx, end)()
	select {
	case r.serving <- struct{}{}:
		defer func() { <-r.serving }()
	case <-ctx.Done():
		return fmt.Errorf("serve fetch: %w", context.Cause(ctx))
	}
	v, err := r.newView(ctx)
	if err != nil {
		return fmt.Errorf("serve fetch: offer refs: %w", err)
	}
	defer v.remove()
	cmd := command(ctx, r.serveEnvironment(), "upload-pack", "--strict", "--timeout="+idleSeconds, v.dir)
	err = relay(cmd, rw, end, cancel)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("serve fetch: %w", err)
	}
	return nil
}

// relay runs cmd with its standard streams on rw. It calls end, which closes rw, after the last output, and cancel, which
// kills cmd, when the client takes no more or sends too much.
func relay(cmd *exec.Cmd, rw io.ReadWriter, end func(), cancel context.CancelCauseFunc) error {
	errs := &tail{limit: maxErrors}
	cmd.Stderr = errs
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var reading sync.WaitGroup
	// Ends when the client closes its side or sends too much, and at the latest by end below; waited for below.
	reading.Go(func() {
		if n, _ := io.Copy(stdin, io.LimitReader(rw, maxInput)); n == maxInput {
			cancel(ErrTooMuchInput)
		}
		_ = stdin.Close() // git, which then ends, has the last word
	})
	_, err = io.Copy(rw, stdout)
	if err != nil {
		cancel(fmt.Errorf("send to the client: %w", err))
	}
	err = cmd.Wait()
	end()
	reading.Wait()
	if err != nil {
		return &gitError{command: "upload-pack", stderr: strings.TrimSpace(errs.String()), err: err}
	}
	return nil
}

// serveEnvironment makes git read the user's objects, and no configuration but the view's.
func (r *Repo) serveEnvironment() []string {
	return environment("GIT_OBJECT_DIRECTORY="+filepath.Join(r.CommonDir, "objects"),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=0",
		"HOME="+os.DevNull, "XDG_CONFIG_HOME="+os.DevNull) // git before 2.32 knows no GIT_CONFIG_GLOBAL
}
