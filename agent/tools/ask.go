package tools

import (
	"context"
	"fmt"
	"strings"
)

const (
	maxOptions  = 10
	maxQuestion = 4 << 10
	maxOption   = 200
)

type askInput struct {
	Question string   `json:"question" jsonschema:"What you want to know, in a sentence or two."`
	Options  []string `json:"options,omitempty" jsonschema:"Answers to choose from, 2 to 10 short ones; the user may answer something else."`
}

// ask blocks the turn until somebody has answered; the loop shows what it waits for.
func (s *Set) ask() Tool {
	return newTool("ask", "Asks the user and waits for the answer. Only for decisions that are theirs and that nothing here answers; never for permission to go on.",
		func(in askInput) string { return in.Question },
		func(ctx context.Context, _ Call, in askInput) (Result, error) {
			question, options, wrong := checkQuestion(in)
			if wrong != "" {
				return failed("Nothing was asked: " + wrong + "."), nil
			}
			answer, err := s.cfg.Ask(ctx, question, options)
			if ctx.Err() != nil {
				return Result{}, ctx.Err()
			}
			if err != nil {
				return failed(fmt.Sprintf("There is no answer: %v. Decide yourself and say what you assumed.", err)), nil
			}
			return Result{Text: "The user answers: " + answer}, nil
		})
}

func checkQuestion(in askInput) (question string, options []string, wrong string) {
	question = strings.TrimSpace(in.Question)
	if question == "" || len(question) > maxQuestion {
		return "", nil, "the question has to have 1 to 4096 bytes"
	}
	if n := len(in.Options); n == 1 || n > maxOptions {
		return "", nil, "give 2 to 10 options, or none"
	}
	for _, option := range in.Options {
		option = strings.TrimSpace(option)
		if option == "" || len(option) > maxOption {
			return "", nil, "an option has to have 1 to 200 bytes"
		}
		options = append(options, option)
	}
	return question, options, ""
}
