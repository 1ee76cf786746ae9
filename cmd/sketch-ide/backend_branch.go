package main

import (
	"context"
	"fmt"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
)

// Diff tells what a session has changed.
func (b *backend) Diff(ctx context.Context, p jsonrpc.DiffParams) (jsonrpc.DiffResult, error) {
	d, err := b.sup.Diff(ctx, b.named(p.Session), session.DiffOptions{
		DiffOptions: repo.DiffOptions{Path: p.Path, Context: p.Context}, Branch: p.Branch, Uncommitted: p.Uncommitted,
	})
	if err != nil {
		return jsonrpc.DiffResult{}, explain(err)
	}
	return wireDiff(d), nil
}

// File returns one version of a file.
func (b *backend) File(ctx context.Context, p jsonrpc.FileParams) (jsonrpc.FileResult, error) {
	versions := map[jsonrpc.FileVersion]session.FileVersion{
		jsonrpc.VersionBase: session.AtBase, jsonrpc.VersionBranch: session.AtBranch, jsonrpc.VersionInside: session.Inside,
	}
	version, known := versions[p.Version]
	if !known {
		return jsonrpc.FileResult{}, &jsonrpc.Error{
			Kind: jsonrpc.KindArguments, Message: fmt.Sprintf("version %.40q is not known", p.Version), Hint: "It is base, branch or inside.",
		}
	}
	f, err := b.sup.File(ctx, b.named(p.Session), p.Branch, p.Path, version)
	if err != nil {
		return jsonrpc.FileResult{}, explain(err)
	}
	return jsonrpc.FileResult{Exists: f.Exists, Binary: f.Binary, Content: f.Content}, nil
}

// Comment changes, lists or sends the collected comments.
func (b *backend) Comment(ctx context.Context, p jsonrpc.CommentParams) (jsonrpc.CommentsResult, error) {
	if p.Side != "" && p.Side != jsonrpc.SideOld && p.Side != jsonrpc.SideNew {
		return jsonrpc.CommentsResult{}, &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: fmt.Sprintf("side %.40q is not known", p.Side), Hint: "It is old or new."}
	}
	name, waiting, sent, err := b.sup.Comments(ctx, b.named(p.Session), session.CommentChange{
		Comment: session.Comment{ID: p.ID, Path: p.Path, Line: p.Line, Old: p.Side == jsonrpc.SideOld, Text: p.Text}, Send: p.Send,
	})
	if err != nil {
		return jsonrpc.CommentsResult{}, explain(err)
	}
	result := jsonrpc.CommentsResult{Session: name, Sent: sent, Comments: make([]jsonrpc.Comment, len(waiting))}
	for i, c := range waiting {
		result.Comments[i] = jsonrpc.Comment{ID: c.ID, Path: c.Path, Line: c.Line, Side: jsonrpc.SideNew, Text: c.Text}
		if c.Old {
			result.Comments[i].Side = jsonrpc.SideOld
		}
	}
	return result, nil
}

// mergeWays are the ways of a merge by their names on the wire.
var mergeWays = map[jsonrpc.MergeHow]repo.MergeHow{
	"": repo.MergeCommits, jsonrpc.MergeMerge: repo.MergeCommits, jsonrpc.MergeCherryPick: repo.CherryPick, jsonrpc.MergeSquash: repo.Squash, jsonrpc.MergeReset: repo.ResetTo,
}

// Merge takes a session's work over.
func (b *backend) Merge(ctx context.Context, p jsonrpc.MergeParams) (jsonrpc.MergeResult, error) {
	return merge(ctx, b.sup, b.named(p.Session), p)
}

// merge is Merge for the terminal too. What would conflict is an error only when it was to be done.
func merge(ctx context.Context, sup *session.Supervisor, name string, p jsonrpc.MergeParams) (jsonrpc.MergeResult, error) {
	how, known := mergeWays[p.How]
	if !known {
		return jsonrpc.MergeResult{}, &jsonrpc.Error{
			Kind: jsonrpc.KindArguments, Message: fmt.Sprintf("%.40q is not a way to merge", p.How), Hint: "It is merge, cherryPick, squash or reset.",
		}
	}
	m, err := sup.Merge(ctx, name, repo.Merge{How: how, Branch: p.Branch, Message: p.Message, DryRun: p.DryRun})
	if err != nil {
		return jsonrpc.MergeResult{}, explain(err)
	}
	result := jsonrpc.MergeResult{
		Session: m.Session, Branch: m.Branch, Into: m.Into, How: p.How, Commits: m.Commits, Lost: m.Lost, Conflicts: m.Conflicts, Done: m.Done, Commit: m.Commit,
	}
	if result.How == "" {
		result.How = jsonrpc.MergeMerge
	}
	return result, nil
}

// statuses are those of files by their names on the wire.
var statuses = map[repo.FileStatus]jsonrpc.FileStatus{
	repo.Added: jsonrpc.FileAdded, repo.Modified: jsonrpc.FileModified, repo.Deleted: jsonrpc.FileDeleted, repo.Renamed: jsonrpc.FileRenamed,
	repo.TypeChanged: jsonrpc.FileTypeChanged,
}

// wireDiff is a diff as an editor sees it.
func wireDiff(d session.WorkDiff) jsonrpc.DiffResult {
	result := jsonrpc.DiffResult{
		Session: d.Session, Branch: d.Branch, Base: d.Base, Head: d.Head, Truncated: d.Truncated, Files: make([]jsonrpc.DiffFile, len(d.Files)),
	}
	for i, f := range d.Files {
		file := jsonrpc.DiffFile{
			Path: f.Path, OldPath: f.OldPath, Status: statuses[f.Status], Binary: f.Binary, Added: f.Added, Deleted: f.Deleted,
		}
		for _, h := range f.Hunks {
			file.Hunks = append(file.Hunks, jsonrpc.DiffHunk{
				OldStart: h.OldStart, OldLines: h.OldLines, NewStart: h.NewStart, NewLines: h.NewLines, Header: h.Header, Lines: h.Lines,
			})
		}
		result.Files[i] = file
	}
	return result
}
