package main

import (
	"context"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// Diff tells what a session has changed.
func (b *backend) Diff(ctx context.Context, p jsonrpc.DiffParams) (jsonrpc.DiffResult, error) {
	return jsonrpc.DiffResult{}, errNotInThisBuild
}

// File returns one version of a file.
func (b *backend) File(ctx context.Context, p jsonrpc.FileParams) (jsonrpc.FileResult, error) {
	return jsonrpc.FileResult{}, errNotInThisBuild
}

// Comment changes, lists or sends the collected comments.
func (b *backend) Comment(ctx context.Context, p jsonrpc.CommentParams) (jsonrpc.CommentsResult, error) {
	return jsonrpc.CommentsResult{}, errNotInThisBuild
}

// Merge takes a session's work over.
func (b *backend) Merge(ctx context.Context, p jsonrpc.MergeParams) (jsonrpc.MergeResult, error) {
	return jsonrpc.MergeResult{}, errNotInThisBuild
}
