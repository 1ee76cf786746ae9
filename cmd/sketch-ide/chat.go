package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/session"
)

// talkFlags are those of every command that talks with the agent.
type talkFlags struct {
	settings settingsFlag
	model    string
	json     bool
}

func chatCommand(o *options) *cobra.Command {
	var f talkFlags
	var start session.StartOptions
	cmd := &cobra.Command{
		Use:   "chat [DIR]",
		Short: "Talk with the agent of a repository's session, in a terminal",
		Long: "Starts the session of the repository that DIR (default: here) belongs to, or attaches to the one it has, and hands what you type to its\n" +
			"agent. While a turn runs, what you type steers it; ctrl-C ends the turn, and between turns the chat. Commands: /cancel, /model NAME,\n" +
			"/models, /status, /quit. With a pipe for its input the whole of it is one prompt, and the exit status tells how its turn ended:\n" +
			"0 done, 1 failed, 3 budget used up, 4 the agent asks something (the next prompt is the answer), 5 no model or key, 130 cancelled.",
		Args: maxArgs(1), ValidArgsFunction: completeFolder, SuggestFor: []string{"talk", "prompt", "ask"},
		RunE: func(cmd *cobra.Command, args []string) error {
			start.Folder = folderArg(args)
			return o.chat(cmd.Context(), f, start)
		},
	}
	flags := cmd.Flags()
	f.settings.register(flags)
	flags.StringVar(&f.model, "model", "", "the `name` of the model in the settings")
	flags.StringVar(&start.Name, "name", "", "the session's `name`, sketch-…, where the repository has several")
	flags.StringVar(&start.BaseImage, "base-image", os.Getenv(baseImageEnv), "the `image` to build from where the repository has no Dockerfile.sketch")
	flags.BoolVar(&f.json, "json", false, "print one JSON object a line for each event")
	return cmd
}

func (o *options) chat(ctx context.Context, f talkFlags, start session.StartOptions) error {
	settings, err := f.settings.decode(nil)
	if err != nil {
		return err
	}
	front := newFront(o.std.out, f.json, false, "")
	person, prompt := isTerminalReader(o.std.in), ""
	if person {
		var stop func()
		ctx, stop = withoutInterrupt(ctx)
		defer stop()
	} else if prompt, err = readPrompt(o.std.in); err != nil {
		return err
	}
	return o.withSupervisor(ctx, session.Config{Observer: front, Agents: front}, func(ctx context.Context, sup *session.Supervisor) error {
		sup.Configure(settings)
		begun := time.Now()
		info, err := sup.Start(ctx, start, front.progress)
		if err != nil {
			return err
		}
		front.ready(info, time.Since(begun))
		if person {
			return (&chat{front: front, sup: sup, name: info.Name, model: f.model, in: o.std.in}).run(ctx)
		}
		return front.oneShot(ctx, sup, info.Name, prompt, f.model)
	})
}

// readPrompt reads a prompt whole, before anything is started for it.
func readPrompt(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxPrompt+1))
	if err != nil {
		return "", fmt.Errorf("read prompt: %w", err)
	}
	return string(text), checkPrompt(string(text))
}

func checkPrompt(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return usagef("the prompt is empty")
	case len(text) > maxPrompt:
		return usagef("the prompt has more than %d bytes; put larger things into files", maxPrompt)
	}
	return nil
}

// oneShot is one prompt and its turn.
func (f *front) oneShot(ctx context.Context, sup *session.Supervisor, name, text, model string) error {
	if err := checkPrompt(text); err != nil {
		return err
	}
	if err := f.catchUp(ctx, sup, name, 1); err != nil {
		return err
	}
	return f.promptOnce(ctx, sup, name, conversation.Prompt{Text: text, Model: model})
}

// catchUp waits for the agent, and shows what comes after its latest messages but the last `shown`-1.
func (f *front) catchUp(ctx context.Context, sup *session.Supervisor, name string, shown int) error {
	page, _, err := sup.Conversation(ctx, name, 0, max(shown, chatHistory)) // a question may be among them
	if err != nil {
		return err
	}
	after := int64(0)
	if n := len(page.Messages); n > 0 {
		if after = page.Messages[n-1].Seq; shown > 1 {
			after = page.Messages[0].Seq - 1
		}
	}
	f.talkFrom(after)
	f.AgentChanged(name, page.Status)
	for _, m := range page.Messages {
		f.MessageChanged(name, m)
	}
	return nil
}

// withoutInterrupt is ctx without its end by ctrl-C, which a chat has another use for; the other signals still end it.
func withoutInterrupt(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
}

func isTerminalReader(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && isTerminal(f)
}

// chat is a person at a terminal.
type chat struct {
	front *front
	sup   *session.Supervisor
	name  string
	model string
	in    io.Reader
}

// chatHistory is how many messages of before are shown.
const chatHistory = 20

func (c *chat) run(ctx context.Context) error {
	if err := c.front.catchUp(ctx, c.sup, c.name, chatHistory); err != nil {
		return err
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	lines := make(chan string)
	// Ends with the input, or with the process: a read of a terminal cannot be ended. It sends to nobody but run.
	go func() {
		defer close(lines)
		for scanner := newLineReader(c.in); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	last, _ := c.front.turns.now()
	c.front.ask()
	for {
		status, changed := c.front.turns.now()
		if !busy(status) && (busy(last) || status.Turn != last.Turn) { // a short turn may have begun and ended unseen
			c.front.turnOver(status)
			c.front.ask()
		}
		last = status
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		case <-c.front.gone:
			return nil
		case <-interrupts:
			if !busy(status) {
				return nil
			}
			c.told(c.sup.CancelTurn(ctx, c.name, ""))
		case line, ok := <-lines:
			if !ok || c.line(ctx, strings.TrimSpace(line)) {
				return nil
			}
		}
	}
}

func newLineReader(r io.Reader) *bufio.Scanner {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxPrompt)
	return scanner
}

// ask shows that something can be typed.
func (f *front) ask() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.json {
		f.say("> ")
	}
}

// told says an error, after which the chat goes on.
func (c *chat) told(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	e := explain(err)
	c.front.line("%s", sentences(e.Message, e.Hint))
}

// line does what was typed, and tells whether that ends the chat.
func (c *chat) line(ctx context.Context, line string) (ends bool) {
	c.front.entered()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
	case "/quit", "/exit":
		return true
	case "/cancel":
		c.told(c.sup.CancelTurn(ctx, c.name, ""))
	case "/model":
		c.model = strings.TrimSpace(rest)
	case "/models":
		c.models()
	case "/status":
		status, _ := c.front.turns.now()
		c.front.line("%s, model %s, turn %d; %s", status.State, firstOf(status.Model, "none"), status.Turn, turnLine(status, 0))
	default:
		c.said(ctx, line)
	}
	if status, _ := c.front.turns.now(); !busy(status) && strings.HasPrefix(line, "/") || line == "" {
		c.front.ask()
	}
	return false
}

// entered: the user's own return key has ended the line.
func (f *front) entered() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.screen.midline, f.talk.open = false, 0
}

func (c *chat) models() {
	list, preferred, ready := c.sup.Models()
	if len(list) == 0 {
		c.front.line("the settings name no model")
	}
	for _, m := range list {
		line := "  " + m.Name
		if m.Name == firstOf(c.model, preferred) {
			line = "* " + m.Name
		}
		if err := ready(m); err != nil {
			line += "  (" + err.Error() + ")"
		}
		c.front.line("%s", line)
	}
}

// said is an answer where the agent asks, else a prompt.
func (c *chat) said(ctx context.Context, text string) {
	if id, q, asked := c.front.turns.openQuestion(); asked {
		if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(q.Options) {
			text = q.Options[n-1]
		}
		c.told(c.sup.Answer(ctx, c.name, id, text))
		return
	}
	if _, err := c.front.send(ctx, c.sup, c.name, conversation.Prompt{Text: text, Model: c.model}); err != nil {
		if _, told := errors.AsType[exitError](err); !told {
			c.told(err)
		}
		c.front.ask()
	}
}
