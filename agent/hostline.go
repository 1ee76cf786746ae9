package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// ServiceGit is the host's service that answers one git-upload-pack conversation with the repository of the session. Its
// parameter, optional, is a value of GIT_PROTOCOL.
const ServiceGit = "git-upload-pack"

// ServiceLLM is the host's service that answers one HTTP/1.1 connection with its gateway to the models' servers. It has no parameter.
const ServiceLLM = "llm"

// The protocol of the host socket. A process connects, writes one line, reads one line, and then is connected to the service:
//
//	request = name [ SP parameter ] LF
//	answer  = "ok" LF | "error " text LF
//
// Everything after an answer of "ok" belongs to the service, in both directions, with half-closes.
const (
	maxHostLine   = 256
	answerOK      = "ok"
	answerError   = "error "
	maxParameter  = 64 // what the channel's extra data may have, see [sshwire.ChannelGit]
	maxAnswerLine = 512
)

var errHostLine = errors.New("malformed request for a service of the host")

// hostRequest is the request line, decoded.
type hostRequest struct {
	service   string
	parameter string
}

func parseHostRequest(line string) (hostRequest, error) {
	name, parameter, _ := strings.Cut(line, " ")
	req := hostRequest{service: name, parameter: parameter}
	switch {
	case name == "":
		return hostRequest{}, fmt.Errorf("%w: no name", errHostLine)
	case parameter != "" && checkGitProtocol(parameter) != nil:
		return hostRequest{}, fmt.Errorf("%w: %w", errHostLine, checkGitProtocol(parameter))
	}
	return req, nil
}

func (r hostRequest) String() string {
	if r.parameter == "" {
		return r.service
	}
	return r.service + " " + r.parameter
}

// channel returns the type of the channel that carries the service.
func (r hostRequest) channel() (string, error) {
	switch {
	case r.service == ServiceGit:
		return sshwire.ChannelGit, nil
	case r.service == ServiceLLM && r.parameter == "":
		return sshwire.ChannelLLM, nil
	}
	return "", fmt.Errorf("the host has no service %q", r.service)
}

var gitProtocol = regexp.MustCompile(`^version=[0-9](:[a-z0-9=._-]+)*$`)

// errGitProtocol is the error of [checkGitProtocol].
var errGitProtocol = errors.New("not a value of GIT_PROTOCOL")

// checkGitProtocol says whether the extra data of a channel for [ServiceGit] is a value of GIT_PROTOCOL that can be given to
// git upload-pack: at most 64 bytes, "version=N" and plain keys. The host checks it too, since the container is not trusted.
func checkGitProtocol(value string) error {
	if len(value) > maxParameter || !gitProtocol.MatchString(value) {
		return fmt.Errorf("%w: %.64q", errGitProtocol, value)
	}
	return nil
}

// readLine reads one line of at most limit bytes and returns it without its end.
func readLine(r *bufio.Reader, limit int) (string, error) {
	var line []byte
	for len(line) <= limit {
		c, err := r.ReadByte()
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return "", io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(line), nil
		}
		line = append(line, c)
	}
	return "", fmt.Errorf("%w: a line has more than %d bytes", errHostLine, limit)
}
