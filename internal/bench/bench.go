//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bench is one run: its settings, and the things that parts share and that are made when the first one needs them.
type bench struct {
	out                 io.Writer
	server, image       string
	reps, rounds, conns int
	span                time.Duration

	dir     string
	editor  *editor
	session *sessionInfo
	address string // the container's own
	insider *insider
	peers   *peers

	verdicts []verdict // shown when all is measured
}

// dockerfile is of the measured session's image: the base image with the alternative in it.
const dockerfile = `FROM %s
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server && rm -rf /var/lib/apt/lists/* && useradd -m bench
`

// open starts the session that all parts but the first share.
func (b *bench) open(ctx context.Context) (sessionInfo, error) {
	if b.session != nil {
		return *b.session, nil
	}
	repo := filepath.Join(b.dir, "bench-peers")
	if err := makeRepo(ctx, repo); err != nil {
		return sessionInfo{}, err
	}
	if err := os.WriteFile(filepath.Join(repo, "Dockerfile.sketch"), fmt.Appendf(nil, dockerfile, b.image), 0o600); err != nil {
		return sessionInfo{}, err
	}
	s, err := b.editor.start(ctx, repo)
	if err != nil {
		return sessionInfo{}, err
	}
	b.session = &s
	b.address, err = docker(ctx, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.Container)
	return s, err
}

// program runs this program inside, and not as a command of the session, so that the agent does not take it for activity.
func (b *bench) program(ctx context.Context) (*insider, error) {
	if b.insider != nil {
		return b.insider, nil
	}
	s, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	b.insider, err = b.editor.runInside(ctx, s, b.address)
	return b.insider, err
}

func (b *bench) close(ctx context.Context) error {
	var err error
	if b.peers != nil {
		err = b.peers.close(ctx)
	}
	if b.insider != nil {
		err = errors.Join(err, b.insider.close())
	}
	if b.session != nil {
		err = errors.Join(err, b.editor.stop(ctx, *b.session))
	}
	return errors.Join(err, b.editor.close())
}

// busy keeps a command of the session alive until the returned function is called: that is what makes a session active.
func (b *bench) busy(ctx context.Context) (func() error, error) {
	s, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	cmd := b.editor.command(ctx, "ssh", s.Name, "--", "echo there; exec cat")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		return nil, errors.Join(err, in.Close(), cmd.Wait())
	}
	return func() error { return errors.Join(in.Close(), cmd.Wait()) }, nil
}

func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// wantFiles is enough descriptors for the idle connections and everything else.
const wantFiles = 32768

// raiseFiles raises the limit of open files for this process and those that it starts.
func raiseFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	want := unix.Rlimit{Cur: wantFiles, Max: max(limit.Max, wantFiles)}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &want) == nil {
		return nil
	}
	want = unix.Rlimit{Cur: limit.Max, Max: limit.Max} // only root may raise the hard limit
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &want)
}
