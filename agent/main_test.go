//go:build linux

package agent_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/agent"
)

// runConfigEnv makes the test binary the agent's process, with the configuration in the named file.
const runConfigEnv = "SKETCH_TEST_RUN_CONFIG"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == agent.GitRemoteHelperName {
		exit(agent.GitRemoteHelper(context.Background(), os.Args[1:], os.Stdin, os.Stdout))
	}
	if path := os.Getenv(runConfigEnv); path != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		cfg, err := agent.Load(path)
		if err != nil {
			exit(err)
		}
		exit(agent.Run(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, nil))))
	}
	// Whoever runs the tests by nohup ignores hangups, and so would every command, which is what some of them are about.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	if os.Getenv(listenEnv) != "" {
		exit(listen())
	}
	goleak.VerifyTestMain(m)
}

// listenEnv makes the test binary a server that prints its port and ends with its input. It listens where the engine's name server does, too.
const listenEnv = "SKETCH_TEST_LISTEN"

func listen() error {
	dns, err := net.Listen("tcp", "127.0.0.11:0")
	if err != nil {
		return err
	}
	defer dns.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
