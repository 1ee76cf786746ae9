package main

import (
	"context"
	"errors"
	"strings"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
)

// explainWork explains what keeps a session's work from being shown or taken over.
func explainWork(err error) *jsonrpc.Error {
	if e, ok := errors.AsType[*session.BranchError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: e.Error(), Hint: e.Hint, Retryable: true}
	}
	if e, ok := errors.AsType[*repo.DirtyError](err); ok {
		hint := "Commit your changes, or put them aside: git stash"
		if e.What != "" {
			hint = "Finish it or give it up first; git status says how."
		}
		return &jsonrpc.Error{Kind: jsonrpc.KindDirty, Message: e.Error(), Hint: hint, Retryable: true}
	}
	if e, ok := errors.AsType[*session.CommentError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: e.Error(), Hint: "A new comment has a path, a line and a text; a waiting one its id."}
	}
	if e, ok := errors.AsType[*session.NoSuchBranchError](err); ok {
		return &jsonrpc.Error{Kind: jsonrpc.KindNoBranch, Message: e.Error(), Hint: otherBranches(e.Others)}
	}
	switch {
	case errors.Is(err, session.ErrNoBranch):
		return &jsonrpc.Error{Kind: jsonrpc.KindNoBranch, Message: err.Error(), Hint: "Let the agent commit, or look at its files as they are: sketch-ide diff --uncommitted"}
	case errors.Is(err, repo.ErrPath):
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: err.Error(), Hint: "Paths are relative to the repository's root, with slashes."}
	case errors.Is(err, repo.ErrFileTooBig):
		return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: err.Error(), Hint: "Open it inside: sketch-ide ssh"}
	case errors.Is(err, repo.ErrDiskFull):
		return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: strings.ReplaceAll(err.Error(), "\n", "; "), Hint: "Make room on this machine, and try again.", Retryable: true}
	case errors.Is(err, repo.ErrInsideLimit):
		return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: err.Error(), Hint: "Look what goes on inside: sketch-ide ssh", Retryable: true}
	case errors.Is(err, repo.ErrNoIdentity):
		return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: err.Error(), Hint: "Tell it: git config user.name … and git config user.email …"}
	case errors.Is(err, repo.ErrTooMany):
		return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: err.Error(), Hint: "Merge or squash instead."}
	case errors.Is(err, repo.ErrSlug):
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: err.Error(), Hint: "Use letters, digits, dash, dot and underscore."}
	}
	return explainGit(err)
}

// otherBranches says which there are.
func otherBranches(names []string) string {
	if len(names) == 0 {
		return "It has none but its own, which needs no name."
	}
	return "Beside its own, which needs no name, it has: " + joined(shortened(names, 5))
}

// explainGit explains a git command on this machine that failed, but for what is explained as a failed checkout.
func explainGit(err error) *jsonrpc.Error {
	if _, checkout := errors.AsType[*session.CheckoutError](err); checkout || !repo.GitFailed(err) || errors.Is(err, context.Canceled) {
		return nil
	}
	return &jsonrpc.Error{Kind: jsonrpc.KindGit, Message: strings.ReplaceAll(err.Error(), "\n", "; "), Hint: "Nothing was changed."}
}
