package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// HostSocketEnv names the variable that tells [GitRemoteHelper] another socket than [HostSocket].
const HostSocketEnv = "SKETCH_HOST_SOCKET"

// URL is the address of the host's repository inside: git fetch sketch://host.
const URL = "sketch://host"

// ErrReadOnly is the answer to a push: the host fetches, it is never written.
var ErrReadOnly = errors.New("the host's repository is read-only from here: commit, and the host fetches your branch")

const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second // the agent waits for the host for less
	maxCommand    = 1 << 10
)

// GitRemoteHelper is git-remote-sketch, the remote helper (gitremote-helpers(7)) for [URL]. It knows the capability "connect" and
// of that only git-upload-pack, whose conversation it relays to the host. Git starts it with the arguments remote and URL.
//
// It returns when git has finished or the host has ended the conversation. A read of stdin may outlive it, which only matters to a
// caller that goes on living.
func GitRemoteHelper(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 2 {
		return errors.New("git-remote-sketch is started by git: use a remote such as " + URL)
	}
	if url := strings.TrimSuffix(args[1], "/"); url != URL {
		return fmt.Errorf("unknown address %q: the host's repository is %s", url, URL)
	}
	in := bufio.NewReader(stdin)
	for {
		line, err := readLine(in, maxCommand)
		if errors.Is(err, io.EOF) || err == nil && line == "" {
			return nil // git has no more commands
		}
		if err != nil {
			return fmt.Errorf("read command of git: %w", err)
		}
		verb, service, _ := strings.Cut(line, " ")
		switch {
		case verb == "capabilities":
			_, err = io.WriteString(stdout, "connect\n\n")
		case verb == "connect" && service == ServiceGit:
			return connectHost(ctx, hostRequest{service: ServiceGit, parameter: gitProtocolWanted(ctx)}, in, stdout)
		case verb == "connect" && service == "git-receive-pack":
			return ErrReadOnly
		case verb == "connect":
			_, err = io.WriteString(stdout, "fallback\n")
		default:
			return fmt.Errorf("git asked for %q, which is not supported", verb)
		}
		if err != nil {
			return fmt.Errorf("answer git: %w", err)
		}
	}
}

// connectHost connects git to a service of the host, and tells it so by an empty line.
func connectHost(ctx context.Context, req hostRequest, in io.Reader, stdout io.Writer) error {
	conn, answers, err := dialHost(ctx, req)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := io.WriteString(stdout, "\n"); err != nil {
		return fmt.Errorf("answer git: %w", err)
	}
	// Ended by the end of git's output, or at its next byte after conn is closed; not waited for, as the function's comment says.
	go func() {
		_, _ = io.Copy(conn, in) // an error ends the other direction too
		conn.CloseWrite()
	}()
	if _, err := io.Copy(stdout, answers); err != nil {
		return fmt.Errorf("relay from the host: %w", err)
	}
	return nil
}

// dialHost opens a service. What the host sends is read from the reader, which may have read ahead.
func dialHost(ctx context.Context, req hostRequest) (*net.UnixConn, io.Reader, error) {
	path := os.Getenv(HostSocketEnv)
	if path == "" {
		path = HostSocket
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	c, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, nil, fmt.Errorf("reach the sketch-ide agent: %w", err)
	}
	conn := c.(*net.UnixConn)
	conn.SetDeadline(time.Now().Add(answerTimeout))
	reader := bufio.NewReader(conn)
	if err := handshakeHost(conn, reader, req); err != nil {
		conn.Close()
		return nil, nil, err
	}
	conn.SetDeadline(time.Time{})
	return conn, reader, nil
}

func handshakeHost(conn io.Writer, reader *bufio.Reader, req hostRequest) error {
	if _, err := io.WriteString(conn, req.String()+"\n"); err != nil {
		return fmt.Errorf("ask for the host: %w", err)
	}
	answer, err := readLine(reader, maxAnswerLine)
	if err != nil {
		return fmt.Errorf("ask for the host: %w", err)
	}
	if text, failed := strings.CutPrefix(answer, answerError); failed {
		return errors.New(text)
	}
	if answer != answerOK {
		return fmt.Errorf("ask for the host: unexpected answer %.40q", answer)
	}
	return nil
}
