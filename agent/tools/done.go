package tools

import (
	"context"
	"strings"
)

type doneInput struct {
	Summary string `json:"summary" jsonschema:"What was done, what was checked and how, and what is left or doubtful, for the user."`
}

// done ends the turn in so many words.
func done() Tool {
	return newTool("done", "Says that the work is finished, or cannot go on. Call it alone, after the last check and after committing.",
		func(in doneInput) string { return in.Summary },
		func(_ context.Context, _ Call, in doneInput) (Result, error) {
			if strings.TrimSpace(in.Summary) == "" {
				return failed("Say in the summary what was done."), nil
			}
			return Result{Text: in.Summary, EndTurn: true}, nil
		})
}
