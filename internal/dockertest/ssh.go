//go:build linux

package dockertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"syscall"
)

// SSH runs an OpenSSH server whose docker command is for the engine, and returns its ssh:// address and a folder that is to come first in PATH: the ssh
// command in it is OpenSSH's, with the configuration that a user of that engine has at home.
func (e *Engine) SSH() (host, bin string) {
	e.t.Helper()
	dir := e.t.TempDir()
	bin = filepath.Join(dir, "bin")
	me, err := user.Current()
	if err != nil {
		e.t.Fatal(err)
	}
	for _, key := range []string{"host", "client"} {
		run(e.t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key))
	}
	ln, err := new(net.ListenConfig).Listen(e.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		e.t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	hostKey := read(e.t, filepath.Join(dir, "host.pub"))
	write(e.t, filepath.Join(dir, "known_hosts"), fmt.Sprintf("[127.0.0.1]:%d %s", port, hostKey), 0o600)
	write(e.t, filepath.Join(dir, "authorized_keys"), read(e.t, filepath.Join(dir, "client.pub")), 0o600)
	write(e.t, filepath.Join(dir, "sshd_config"), fmt.Sprintf(`HostKey %s/host
AuthorizedKeysFile %s/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
SetEnv DOCKER_HOST=%s
`, dir, dir, e.Host()), 0o600)
	write(e.t, filepath.Join(dir, "config"), fmt.Sprintf("Host 127.0.0.1\n\tIdentityFile %s/client\n\tIdentitiesOnly yes\n\tUserKnownHostsFile %s/known_hosts\n", dir, dir), 0o600)
	real, err := exec.LookPath("ssh")
	if err != nil {
		e.t.Fatal(err)
	}
	if err := os.Mkdir(bin, 0o700); err != nil {
		e.t.Fatal(err)
	}
	write(e.t, filepath.Join(bin, "ssh"), fmt.Sprintf("#!/bin/sh\nexec %s -F %s/config \"$@\"\n", real, dir), 0o700)
	e.serveSSH(ln, filepath.Join(dir, "sshd_config"))
	return fmt.Sprintf("ssh://%s@127.0.0.1:%d", me.Username, port), bin
}

// serveSSH starts a server for each connection, until the test's end.
func (e *Engine) serveSSH(ln net.Listener, config string) {
	e.t.Helper()
	_ = os.MkdirAll("/run/sshd", 0o755) // where it separates its privileges; it says so itself if it is missing
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	group.Go(func() { // ends with the listener, below
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			group.Go(func() { // ends with the connection, or with ctx
				_ = serveOneSSH(ctx, conn.(*net.TCPConn), config) // its status is that of a client that hangs up
			})
		}
	})
	e.t.Cleanup(func() {
		ln.Close()
		cancel()
		group.Wait()
	})
}

func serveOneSSH(ctx context.Context, conn *net.TCPConn, config string) error {
	socket, err := conn.File()
	conn.Close()
	if err != nil {
		return err
	}
	defer socket.Close()
	sshd := exec.CommandContext(ctx, "/usr/sbin/sshd", "-i", "-f", config)
	sshd.Stdin, sshd.Stdout = socket, socket
	sshd.Cancel = func() error { return syscall.Kill(-sshd.Process.Pid, syscall.SIGTERM) } // its children are of its group
	sshd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                                 // it ends with the connection
	return sshd.Run()
}
