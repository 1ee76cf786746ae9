package tools

import (
	"context"
	"errors"
	"fmt"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/review"
)

type reviewInput struct {
	Base string `json:"base,omitempty" jsonschema:"Commit to compare with; default: where the work of this session began."`
}

// goReview is there in every workspace: whether there is Go code to review is found when it is called.
func (s *Set) goReview() Tool {
	return newTool("go_review", "Reviews the Go code that this session changed, committed or not: gofmt, go vet, gopls where installed, and the tests of the changed packages and of those that import them, compared with the code before. Takes as long as the tests. Use it before you say that Go work is done.",
		func(in reviewInput) string {
			if in.Base != "" {
				return "since " + in.Base
			}
			return "Go code"
		},
		func(ctx context.Context, call Call, in reviewInput) (Result, error) {
			within, cancel := context.WithTimeout(ctx, s.cfg.Limits.Slow)
			defer cancel()
			if s.cfg.Busy != nil {
				defer s.cfg.Busy()()
			}
			text, _, err := review.Run(within, review.Config{Dir: s.cfg.Dir, Env: s.cfg.Env, Base: in.Base, Tell: call.Output})
			switch problem := new(review.Error); {
			case err == nil:
				return Result{Text: text}, nil
			case ctx.Err() != nil:
				return Result{}, ctx.Err()
			case within.Err() != nil:
				return failed(fmt.Sprintf("The review took longer than %s and was ended. Run the tests that matter with bash.", span(s.cfg.Limits.Slow))), nil
			case errors.As(err, &problem):
				return failed(problem.Error()), nil
			}
			return failed(fmt.Sprintf("The review failed: %v.", err)), nil
		})
}
