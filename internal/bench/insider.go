//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// insider is the host's end of the program inside. It has a connection of its own, beside what is measured.
type insider struct {
	conn net.Conn
	out  *bufio.Reader
}

// runInside copies this program into the session and leaves it running there.
func (e *editor) runInside(ctx context.Context, s sessionInfo, address string) (*insider, error) {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer program.Close()
	run := e.command(ctx, "ssh", s.Name, "--", "cat > /tmp/bench && chmod +x /tmp/bench && /tmp/bench "+insideArg)
	run.Stdin, run.Stderr = program, os.Stderr
	port, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("run myself inside: %w", err)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(address, strings.TrimSpace(string(port))))
	if err != nil {
		return nil, err
	}
	return &insider{conn, bufio.NewReader(conn)}, nil
}

func (i *insider) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(i.conn, line); err != nil {
		return "", err
	}
	answer, err := i.out.ReadString('\n')
	if err != nil {
		return "", err
	}
	answer = strings.TrimSpace(answer)
	if message, failed := strings.CutPrefix(answer, "error "); failed {
		return "", errors.New(message)
	}
	return answer, nil
}

func (i *insider) listen(address string, port int) (time.Duration, error) {
	answer, err := i.ask(fmt.Sprintf("listen %s %d", address, port))
	if err != nil {
		return 0, err
	}
	at, err := strconv.ParseInt(answer, 10, 64)
	return time.Duration(at), err
}

func (i *insider) unlisten() error {
	_, err := i.ask("close")
	return err
}

// serve starts a "stream" or "web" server at the port (0: any) and returns its number.
func (i *insider) serve(kind string, port int) (int, error) {
	answer, err := i.ask(kind + " " + strconv.Itoa(port))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}

func (i *insider) close() error { return i.conn.Close() }
