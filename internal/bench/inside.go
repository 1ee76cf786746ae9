//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const insideArg = "inside"

// inside serves "listen ADDRESS PORT" and "close" lines: for the first it answers with the monotonic time at which listen(2) had returned.
func inside(in io.Reader, out io.Writer) {
	var l net.Listener
	for lines := bufio.NewScanner(in); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "listen":
			var err error
			if l, err = listenInside(rest); err != nil {
				fmt.Fprintln(out, "error", err)
				continue
			}
			fmt.Fprintln(out, int64(monotonic()))
		case "close":
			fmt.Fprintln(out, errorText(l.Close()))
		}
	}
}

func errorText(err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	return "ok"
}

func listenInside(where string) (net.Listener, error) {
	address, port, _ := strings.Cut(where, " ")
	network := "tcp4"
	if strings.Contains(address, ":") {
		network = "tcp6"
	}
	l, err := net.Listen(network, net.JoinHostPort(address, port))
	if err != nil {
		return nil, err
	}
	// Ends when the listener is closed.
	go func() {
		server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello\n") // the asking side notices
		})}
		if err := server.Serve(l); !errors.Is(err, net.ErrClosed) {
			fmt.Fprintln(os.Stderr, "bench inside:", err)
		}
	}()
	return l, nil
}

// insider is the host's end of inside.
type insider struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// runInside copies this program into the session and runs it there, through OpenSSH.
func (e *editor) runInside(ctx context.Context, s sessionInfo) (*insider, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.Open(self)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	upload := e.command(ctx, "ssh", s.Name, "--", "cat > /tmp/bench && chmod +x /tmp/bench")
	upload.Stdin, upload.Stderr = program, os.Stderr
	if err := upload.Run(); err != nil {
		return nil, fmt.Errorf("copy myself inside: %w", err)
	}
	cmd := e.command(ctx, "ssh", s.Name, "--", "exec /tmp/bench "+insideArg)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &insider{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func (i *insider) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(i.in, line); err != nil {
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

func (i *insider) close() error { return errors.Join(i.in.Close(), i.cmd.Wait()) }
