package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/sketch-ide/sketch-ide/agent/agentbin"
	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/gateway"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// explain is the one place that turns errors of the parts into errors for people: what failed, one hint, a stable code.
func explain(err error) *jsonrpc.Error {
	if e, ok := errors.AsType[*jsonrpc.Error](err); ok {
		return e
	}
	for _, explainer := range []func(error) *jsonrpc.Error{explainEngine, explainImage, explainRepo, explainWork, explainAgent, explainSession, explainPort, explainSSHConfig} {
		if e := explainer(err); e != nil {
			e.Err = err
			return e
		}
	}
	other := &jsonrpc.Error{Kind: jsonrpc.KindInternal, Message: err.Error(), Err: err}
	switch {
	case errors.Is(err, context.Canceled):
		other.Kind = jsonrpc.KindCancelled
	case errors.Is(err, syscall.ENOSPC):
		other.Hint = "Make room on this machine's disk. sketch-ide prune removes what stopped sessions and their images take."
	}
	return other
}

// sentences is an error in one line, for where it stands among other lines.
func sentences(message, hint string) string {
	if message != "" && hint != "" && !strings.ContainsAny(message[len(message)-1:], ".!?") {
		message += "."
	}
	return strings.TrimSpace(message + " " + hint)
}

func explainEngine(err error) *jsonrpc.Error {
	if e, ok := errors.AsType[*container.ContextError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindNoEngine, Message: err.Error(), Hint: e.Hint()}
	}
	switch {
	case errors.Is(err, container.ErrEngineDenied):
		return &jsonrpc.Error{
			Kind: jsonrpc.KindNoEngine, Message: "Docker refuses this user", Retryable: true,
			Hint: "Add yourself to the docker group (sudo usermod -aG docker $USER) and log in again." + tried(err),
		}
	case errors.Is(err, container.ErrHostUnsupported):
		return &jsonrpc.Error{Kind: jsonrpc.KindNoEngine, Message: err.Error(), Hint: "Set DOCKER_HOST or the docker context to a unix://, tcp:// or ssh:// address."}
	case remoteEngine(err) != nil:
		a := remoteEngine(err)
		return &jsonrpc.Error{
			Kind: jsonrpc.KindNoEngine, Message: fmt.Sprintf("the Docker engine at %s does not answer: %v", a.Host, a.Err), Retryable: true,
			Hint: fmt.Sprintf("%s names it; look whether this works: docker -H %s version", a.Origin, a.Host),
		}
	case errors.Is(err, container.ErrNoEngine):
		return &jsonrpc.Error{
			Kind: jsonrpc.KindNoEngine, Message: "no Docker engine answers", Retryable: true,
			Hint: "Start Docker (Docker Desktop, Colima or `sudo systemctl start docker`) and try again." + tried(err),
		}
	case errors.Is(err, container.ErrEngineLost):
		return &jsonrpc.Error{
			Kind: jsonrpc.KindEngine, Message: "the Docker engine stopped answering", Retryable: true,
			Hint: "Look whether Docker runs (docker info), then try again; sessions that ran are kept.",
		}
	case errors.Is(err, container.ErrPortPublish):
		return &jsonrpc.Error{Kind: jsonrpc.KindEngine, Message: err.Error(), Retryable: true, Hint: "Restart Docker: its port allocator refused a free loopback port."}
	}
	return nil
}

// remoteEngine is the attempt at the one engine that was asked for, if that is not on this machine.
func remoteEngine(err error) *container.Attempt {
	e, ok := errors.AsType[*container.NoEngineError](err)
	if !ok || len(e.Tried) != 1 || strings.HasPrefix(e.Tried[0].Host, "unix://") {
		return nil
	}
	return &e.Tried[0]
}

func tried(err error) string {
	e, ok := errors.AsType[*container.NoEngineError](err)
	if !ok || len(e.Tried) == 0 {
		return ""
	}
	var hosts []string
	for _, a := range e.Tried {
		if a.Host == "" { // such as a docker context that does not exist
			hosts = append(hosts, fmt.Sprintf("%s (%v)", a.Origin, a.Err))
			continue
		}
		hosts = append(hosts, a.Host)
	}
	return " Tried " + joined(hosts) + "."
}

func explainImage(err error) *jsonrpc.Error {
	if e, ok := errors.AsType[*container.BuildError](err); ok {
		hint := cmp.Or(e.Hint, "Mend the Dockerfile.")
		if len(e.Lines) > 0 {
			hint += " The last lines of the build:\n" + strings.Join(e.Lines, "\n")
		}
		return &jsonrpc.Error{Kind: jsonrpc.KindImageBuild, Message: e.Error(), Hint: hint}
	}
	if e, ok := errors.AsType[*container.PullError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindImagePull, Message: e.Error(), Hint: e.Hint, Retryable: true}
	}
	if e, ok := errors.AsType[*container.WrongArchError](err); ok {
		return &jsonrpc.Error{
			Kind: jsonrpc.KindImagePlatform, Message: e.Error(),
			Hint: "Use an image for linux/" + e.Engine + ", or install emulation (qemu-user-static with binfmt support).",
		}
	}
	if e, ok := errors.AsType[*container.MountError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: e.Error(), Hint: e.Hint}
	}
	if e, ok := errors.AsType[*agentbin.Error](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindNoAgent, Message: e.Error(), Hint: e.Hint}
	}
	if e, ok := errors.AsType[*session.ImageError](err); ok && explainEngine(err) == nil {
		switch {
		case errors.Is(err, container.ErrNoGit), errors.Is(err, container.ErrNoShell), errors.Is(err, container.ErrTooBig), errors.Is(err, context.Canceled):
		default:
			return &jsonrpc.Error{Kind: jsonrpc.KindImageBuild, Message: e.Error(), Hint: "Look at the Dockerfile (its FROM and USER) or at the setting baseImage."}
		}
	}
	switch {
	case errors.Is(err, container.ErrNoGit):
		return &jsonrpc.Error{Kind: jsonrpc.KindNoGit, Message: "the image has no git and no package manager that could add it", Hint: "Add git to the image."}
	case errors.Is(err, container.ErrNoShell):
		return &jsonrpc.Error{Kind: jsonrpc.KindImagePlatform, Message: "the image has no shell", Hint: "Use a Linux image with sh (not scratch or distroless)."}
	case errors.Is(err, container.ErrTooBig):
		return &jsonrpc.Error{Kind: jsonrpc.KindImageBuild, Message: err.Error(), Hint: "Leave files out with a .dockerignore, or use .sketch/Dockerfile, whose context is .sketch/ alone."}
	}
	return nil
}

func explainRepo(err error) *jsonrpc.Error {
	if e, ok := errors.AsType[*repo.OpenError](err); ok {
		kind := jsonrpc.KindNotRepository
		switch {
		case errors.Is(err, repo.ErrNoCommit):
			kind = jsonrpc.KindNoCommit
		case errors.Is(err, repo.ErrNoGit), errors.Is(err, repo.ErrGitTooOld):
			kind = jsonrpc.KindNoGit
		}
		return &jsonrpc.Error{Kind: kind, Message: fmt.Sprintf("%s: %v", e.Dir, e.Err), Hint: e.Hint}
	}
	switch {
	case errors.Is(err, repo.ErrUnmerged):
		return &jsonrpc.Error{Kind: jsonrpc.KindCheckout, Message: err.Error(), Hint: "Resolve them (git status), or start without the changes that are not committed."}
	case errors.Is(err, repo.ErrNoGitInside):
		return &jsonrpc.Error{Kind: jsonrpc.KindNoGit, Message: err.Error(), Hint: "Add git to the image."}
	}
	if e, ok := errors.AsType[*session.CheckoutError](err); ok && !errors.Is(err, context.Canceled) && explainSession(e.Err) == nil {
		first, rest, _ := strings.Cut(e.Error(), "\n")
		hint := "Look whether the repository is whole: git fsck"
		if errors.Is(err, repo.ErrDiskFull) {
			hint = "Make room where the engine keeps its containers (sketch-ide prune, docker system df), or for the volume that the folder inside is on."
		}
		if rest != "" {
			hint += "\n" + rest
		}
		return &jsonrpc.Error{Kind: jsonrpc.KindCheckout, Message: first, Hint: hint}
	}
	return nil
}

func explainSession(err error) *jsonrpc.Error {
	if e, ok := errors.AsType[*session.StoppedError](err); ok {
		hint := "Its files are kept; start it again: sketch-ide up, or sketch.start."
		if e.Logs != "" {
			hint += " Its last words:\n" + strings.TrimRight(e.Logs, "\n")
		}
		return &jsonrpc.Error{Kind: jsonrpc.KindDisconnected, Message: e.Error(), Hint: hint, Retryable: true}
	}
	if e, ok := errors.AsType[*session.StateDirError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindInternal, Message: e.Error(), Hint: "It must be a folder of yours alone (chmod 700), on a disk that is not full. Another can be named with --state-dir."}
	}
	if e, ok := errors.AsType[*session.KeysLostError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindSessionGone, Message: e.Error(), Hint: "Get what you need with `docker cp`, then: sketch-ide rm " + e.Name}
	}
	if e, ok := errors.AsType[*session.AmbiguousError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: "several sessions could be meant", Hint: "Name one of: " + joined(e.Names)}
	}
	if e, ok := errors.AsType[*session.NotFoundError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindNoSession, Message: e.Error(), Hint: "sketch-ide ps lists the sessions; sketch-ide up starts one."}
	}
	if _, ok := errors.AsType[*session.ConnectTimeoutError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindDisconnected, Message: err.Error(), Hint: "See what the agent says: sketch-ide logs. A firewall between this machine and Docker's network can be the cause.", Retryable: true}
	}
	if _, ok := errors.AsType[*session.NameTakenError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: err.Error(), Hint: "Choose another name, or remove that session: sketch-ide ps"}
	}
	if _, ok := errors.AsType[*session.BadNameError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: err.Error(), Hint: "Names are sketch- and up to 41 of a-z, 0-9 and single dashes: sketch-fix-login"}
	}
	switch {
	case errors.Is(err, session.ErrContainerGone), errors.Is(err, tunnel.ErrGone), errors.Is(err, container.ErrNotFound):
		return &jsonrpc.Error{Kind: jsonrpc.KindSessionGone, Message: "the session's container was removed", Hint: "Start a new session."}
	case errors.Is(err, session.ErrContainerStopped), errors.Is(err, tunnel.ErrEnded), errors.Is(err, container.ErrNotRunning):
		return &jsonrpc.Error{Kind: jsonrpc.KindDisconnected, Message: "the session's container is not running", Hint: "Its files are kept; start it again: sketch-ide up, or sketch.start.", Retryable: true}
	case errors.Is(err, tunnel.ErrBroken):
		return &jsonrpc.Error{Kind: jsonrpc.KindDisconnected, Message: "the connection to the session broke", Hint: "It is made again by itself; what ran over it has ended.", Retryable: true}
	case errors.Is(err, tunnel.ErrNotForwarded):
		return &jsonrpc.Error{Kind: jsonrpc.KindNoPort, Message: err.Error(), Hint: "sketch-ide ports, or sketch.ports, lists those that are."}
	case errors.Is(err, session.ErrNotOwner):
		return &jsonrpc.Error{Kind: jsonrpc.KindNotOwner, Message: err.Error(), Hint: "Do it in that window, or close it."}
	case errors.Is(err, tunnel.ErrNotConnected), errors.Is(err, tunnel.ErrStopped), errors.Is(err, session.ErrNotAttached), errors.Is(err, session.ErrClosed):
		return &jsonrpc.Error{Kind: jsonrpc.KindDisconnected, Message: err.Error(), Hint: "Start the session first.", Retryable: true}
	}
	if e, ok := errors.AsType[*session.RepositorySettingsError](err); ok {
		hint := "The rest of it is in use."
		if e.Whole {
			hint = "What it said of ports before stays in use until it can be read."
		}
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: strings.ReplaceAll(e.Error(), "\n", "; "), Hint: hint}
	}
	if e, ok := errors.AsType[*session.RemoteWindowError](err); ok {
		return &jsonrpc.Error{
			Kind: jsonrpc.KindSettings, Message: e.Error(),
			Hint: "sketch-ide tells of no ports meanwhile. To leave them to it, set remote.autoForwardPorts to false in that window's settings (Remote).",
		}
	}
	if e, ok := errors.AsType[*session.RefusedError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: e.Error(), Hint: "The session goes without. See The image in the README."}
	}
	if e, ok := errors.AsType[*session.HookError](err); ok {
		hint := "The session is usable; run the command inside when it is mended."
		if len(e.Lines) > 0 {
			hint += " Its last lines:\n" + strings.Join(e.Lines, "\n")
		}
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: e.Error(), Hint: hint}
	}
	if e, ok := errors.AsType[*session.DevcontainerError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: strings.ReplaceAll(e.Error(), "\n", "; "), Hint: e.Hint}
	}
	if e, ok := errors.AsType[*reservedError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: e.Error(), Hint: "Say it in " + e.file + ", which counts in every editor."}
	}
	if e, ok := errors.AsType[*settingsError](err); ok && e.fatal {
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: e.Error(), Hint: "No session is made until it is mended. See Settings in the README."}
	} else if ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindSettings, Message: e.Error(), Hint: "The other settings are in use. See Settings in the README."}
	}
	return nil
}

func explainAgent(err error) *jsonrpc.Error {
	if p, ok := errors.AsType[*conversation.Problem](err); ok {
		return problemError(p)
	}
	if e, ok := errors.AsType[*gateway.KeyError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindNoModel, Message: e.Error(), Hint: e.Hint}
	}
	if e, ok := errors.AsType[*session.AgentError](err); ok && explainSession(e.Err) == nil && !errors.Is(err, context.Canceled) {
		return &jsonrpc.Error{
			Kind: jsonrpc.KindDisconnected, Message: e.Error(), Retryable: true,
			Hint: "See what the agent says: sketch-ide logs. A session that an older version started has no such agent: start a new one.",
		}
	}
	return nil
}

func explainPort(err error) *jsonrpc.Error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return &jsonrpc.Error{Kind: jsonrpc.KindPortInUse, Message: err.Error(), Hint: "Stop what uses it, or forward to another number.", Retryable: true}
	case errors.Is(err, syscall.EACCES):
		return &jsonrpc.Error{Kind: jsonrpc.KindPortDenied, Message: err.Error(), Hint: "Ports below 1024 need privileges here; forward to a higher number."}
	}
	return nil
}

// complain says an error of a command on a terminal, and returns the exit status.
func complain(w io.Writer, command string, err error) int {
	if status, ok := errors.AsType[exitError](err); ok {
		return int(status)
	}
	if e, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(w, "sketch-ide: %s\nhint: %s\n", clean(e.Error()), clean(cmp.Or(e.hint, command+" --help")))
		return 2
	}
	e := explain(err)
	fmt.Fprintf(w, "sketch-ide: %s (%s, %d)\n", clean(e.Message), e.Kind, e.Kind.Code())
	if e.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", strings.ReplaceAll(clean(e.Hint), "\n", "\n  "))
	}
	return 1
}
