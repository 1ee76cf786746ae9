package container

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/pkg/jsonmessage"
)

// buildSpec is one run of the builder.
type buildSpec struct {
	name       string // of the Dockerfile, for errors; "" where it is generated
	heredoc    bool   // the Dockerfile has a here-document
	dockerfile string // its path in the context
	stage      Stage
	args       map[string]string
	target     string // stage
	labels     map[string]string
	tag        string
	fresh      bool // without the builder's cache
	write      func(io.Writer) error
}

// build runs the classic builder and returns the image's id. The context is streamed to it, not kept in memory.
func (e *Engine) build(ctx context.Context, spec buildSpec, report reporter) (string, error) {
	reader, writer := io.Pipe()
	sent := make(chan error, 1)
	// Ended by the reader's Close below at the latest; waited for by the receive after it.
	go func() {
		err := spec.write(writer)
		writer.CloseWithError(err)
		sent <- err
	}()
	id, err := e.runBuild(ctx, spec, reader, report)
	reader.Close()
	if sendErr := <-sent; sendErr != nil && !errors.Is(sendErr, io.ErrClosedPipe) && ctx.Err() == nil {
		return "", unreadable(spec.name, pathOf(sendErr, "the build context"), sendErr)
	}
	return id, err
}

func (e *Engine) runBuild(ctx context.Context, spec buildSpec, body io.Reader, report reporter) (string, error) {
	opts := e.buildOptions(spec)
	output := buildOutput{spec: spec, report: report}
	resp, err := e.api.ImageBuild(ctx, body, opts)
	if err == nil {
		defer resp.Body.Close()
		err = output.read(resp.Body)
	}
	switch {
	case err == nil && output.id == "":
		err = io.ErrUnexpectedEOF
	case err == nil:
		return output.id, nil
	}
	if ctx.Err() != nil || lost(err) {
		return "", wrap(ctx, "build image", err)
	}
	return "", output.failure(err)
}

// buildOptions: the steps of a build get what sessions get by default. The API has no limit of processes for them, and
// the one that it has, the nproc ulimit, counts a user's processes on the whole host, and none of root's.
func (e *Engine) buildOptions(spec buildSpec) build.ImageBuildOptions {
	memory := e.defaultMemory()
	opts := build.ImageBuildOptions{
		Version:     build.BuilderV1,
		Dockerfile:  spec.dockerfile,
		Labels:      spec.labels,
		NoCache:     spec.fresh,
		Target:      spec.target,
		Remove:      true,
		ForceRemove: true,
		BuildArgs:   map[string]*string{},
		Memory:      memory,
		MemorySwap:  memory,
		CPUShares:   cpuShares,
	}
	if spec.tag != "" {
		opts.Tags = []string{spec.tag}
	}
	for name, value := range spec.args {
		opts.BuildArgs[name] = &value
	}
	return opts
}

// buildOutput follows what the builder says.
type buildOutput struct {
	spec    buildSpec
	report  reporter
	id      string   // of the image, once it is there
	step    string   // "3/5 : RUN make"
	percent int      // of the steps begun
	lines   []string // the last lines, at most maxLines
	partial string   // begun, without its end yet
}

const maxLines = 20

func (o *buildOutput) read(body io.Reader) error {
	o.percent = -1
	for message, err := range messages(body) {
		if err != nil {
			return err
		}
		if message.Error != nil {
			o.line(o.partial)
			return message.Error
		}
		o.aux(message.Aux)
		o.text(message.Stream)
	}
	return nil
}

func (o *buildOutput) aux(raw *json.RawMessage) {
	var result struct{ ID string }
	if raw != nil && json.Unmarshal(*raw, &result) == nil && result.ID != "" {
		o.id = result.ID
	}
}

// text takes a piece of output, which may hold several lines or a part of one.
func (o *buildOutput) text(s string) {
	s = o.partial + s
	for {
		line, rest, found := strings.Cut(s, "\n")
		if !found {
			o.partial = s[max(0, len(s)-64<<10):]
			return
		}
		o.line(line)
		s = rest
	}
}

func (o *buildOutput) line(s string) {
	s = printable(s)
	if s == "" || strings.HasPrefix(s, "---> ") || strings.HasPrefix(s, "Removing intermediate container ") {
		return // the builder's own book-keeping
	}
	if step, percent, ok := parseStep(s); ok {
		o.step, o.percent = step, percent
		if strings.Contains(step, ": LABEL "+labelPrefix) {
			return // one of ours, which the builder makes a step of
		}
	}
	o.lines = append(o.lines, s)
	o.lines = o.lines[max(0, len(o.lines)-maxLines):]
	o.report(Progress{o.spec.stage, s, o.percent})
}

// parseStep reads the builder's "Step 3/5 : RUN make". The percentage is that of the steps before it.
func parseStep(line string) (step string, percent int, ok bool) {
	rest, ok := strings.CutPrefix(line, "Step ")
	if !ok {
		return "", 0, false
	}
	count, instruction, ok := strings.Cut(rest, " : ")
	if !ok {
		return "", 0, false
	}
	n, total, _ := strings.Cut(count, "/")
	done, err1 := strconv.Atoi(n)
	all, err2 := strconv.Atoi(total)
	if err1 != nil || err2 != nil || done < 1 || all < done {
		return "", 0, false
	}
	return count + ": " + instruction, (done - 1) * 100 / all, true
}

func (o *buildOutput) failure(err error) error {
	failure := &BuildError{Dockerfile: o.spec.name, Step: o.step, Reason: printable(reason(err)), Lines: o.lines, Hint: o.hint(err)}
	if told, ok := errors.AsType[*jsonmessage.JSONError](err); ok {
		failure.Code = told.Code
	}
	failure.again = failure.Code == 0 && failure.Step != ""
	return failure
}

// hint knows the failures whose cause is not a step's command. It goes by the builder's words since it has no codes.
func (o *buildOutput) hint(err error) string {
	const classic = "The image is built by the engine's classic builder, which knows no BuildKit syntax such as RUN --mount or here-documents."
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "buildkit"), strings.Contains(text, "unknown flag: "):
		return classic
	case strings.Contains(text, "unknown instruction") && o.spec.heredoc:
		return classic
	case strings.Contains(text, "unknown instruction"):
		return "Look at its spelling: a Dockerfile's instructions are FROM, RUN, COPY, ENV, USER, WORKDIR and some more."
	case strings.Contains(text, "no build stage in current context"):
		return "Begin the Dockerfile with FROM and an image, such as: FROM " + DefaultBaseImage
	}
	return ""
}
