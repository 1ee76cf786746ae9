package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/repo"
)

const (
	commentsFile = "comments.json"
	commentsLock = "comments.lock"
	maxComments  = 200
	maxComment   = 16 << 10 // bytes
	maxQuoted    = 200      // bytes of the line that a comment is about
)

// Comment is a remark on a line of a session's work, kept until it is sent to the agent.
type Comment struct {
	ID   string `json:"id"`
	Path string `json:"path"`
	Line int    `json:"line"`          // from 1
	Old  bool   `json:"old,omitempty"` // of the base, rather than of the session's work
	Text string `json:"text"`
}

// CommentChange is what is done to a session's comments: one is added (Path, Line, Text), changed (ID, Text) or removed (ID alone); without any of these they are
// only listed.
type CommentChange struct {
	Comment
	Send bool // all of them, after the change
}

// CommentError says what is wrong with a change.
type CommentError struct{ What string }

func (e *CommentError) Error() string { return e.What }

// savedComments is what comments.json holds.
type savedComments struct {
	Last     int       `json:"last"` // number of the last one's ID, which is never used again
	Comments []Comment `json:"comments"`
}

// Comments changes a session's comments and returns those that wait, and how many were just sent. The session need not be attached, but to send.
func (s *Supervisor) Comments(ctx context.Context, name string, change CommentChange) (session string, waiting []Comment, sent int, err error) {
	w, err := s.workOn(ctx, name, "")
	if err != nil {
		return "", nil, 0, err
	}
	lock, err := waitLock(ctx, s.cfg.Store.path(w.rec.Name, commentsLock))
	if err != nil {
		return "", nil, 0, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	saved, err := s.cfg.Store.loadComments(w.rec.Name)
	if err != nil {
		return "", nil, 0, err
	}
	changed, err := saved.change(change.Comment)
	if err == nil && changed {
		err = s.cfg.Store.saveComments(w.rec.Name, saved)
	}
	if err != nil || !change.Send || len(saved.Comments) == 0 {
		return w.rec.Name, saved.Comments, 0, err
	}
	if _, _, err := s.Prompt(ctx, w.rec.Name, conversation.Prompt{Text: w.review(ctx, saved.Comments)}); err != nil {
		return w.rec.Name, saved.Comments, 0, err // they go on waiting
	}
	sent, saved.Comments = len(saved.Comments), nil
	return w.rec.Name, nil, sent, s.cfg.Store.saveComments(w.rec.Name, saved)
}

func (c *savedComments) change(change Comment) (changed bool, err error) {
	if len(change.Text) > maxComment {
		return false, &CommentError{fmt.Sprintf("the comment has %d bytes, the limit is %d", len(change.Text), maxComment)}
	}
	at := slices.IndexFunc(c.Comments, func(o Comment) bool { return o.ID == change.ID })
	switch {
	case change.ID != "" && at < 0:
		return false, &CommentError{fmt.Sprintf("no comment waits that is named %.40q", change.ID)}
	case change.ID != "" && change.Text == "":
		c.Comments = slices.Delete(c.Comments, at, at+1)
	case change.ID != "":
		c.Comments[at].Text = change.Text
	case change.Path == "" && change.Line == 0 && change.Text == "":
		return false, nil
	default:
		return true, c.add(change)
	}
	return true, nil
}

func (c *savedComments) add(comment Comment) error {
	switch {
	case repo.ValidPath(comment.Path) != nil:
		return &CommentError{fmt.Sprintf("%.200q is not a path of a file in the repository", comment.Path)}
	case comment.Line < 1:
		return &CommentError{"a comment needs a line, from 1"}
	case strings.TrimSpace(comment.Text) == "":
		return &CommentError{"a comment needs a text"}
	case len(c.Comments) >= maxComments:
		return &CommentError{fmt.Sprintf("%d comments wait already", len(c.Comments))}
	}
	c.Last++
	comment.ID = fmt.Sprint(c.Last)
	c.Comments = append(c.Comments, comment)
	return nil
}

// review is all comments as one message for the agent, each with the line that it is about.
func (w *workOf) review(ctx context.Context, comments []Comment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Comments on the work on branch %s. Address each of them.\n", w.branch.Work)
	tip, err := w.tip(ctx)
	if err != nil {
		tip = w.branch.Base
	}
	for i, c := range comments {
		commit, side := tip, ""
		if c.Old {
			commit, side = w.branch.Base, ", as it was before"
		}
		fmt.Fprintf(&b, "\n%d. %s:%d%s\n", i+1, c.Path, c.Line, side)
		if line := w.line(ctx, commit, c); line != "" {
			fmt.Fprintf(&b, "   > %s\n", line)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(c.Text), "\n") {
			fmt.Fprintf(&b, "   %s\n", strings.TrimRight(line, " \r"))
		}
	}
	return b.String()
}

// line is the text that a comment is about; empty where it cannot be told.
func (w *workOf) line(ctx context.Context, commit string, c Comment) string {
	file, err := w.repo.File(ctx, commit, c.Path)
	if err != nil || file.Binary {
		return ""
	}
	lines := strings.Split(file.Content, "\n")
	if c.Line > len(lines) {
		return ""
	}
	line := strings.TrimSpace(lines[c.Line-1])
	return strings.ToValidUTF8(line[:min(len(line), maxQuoted)], "")
}

func (s *Store) loadComments(name string) (savedComments, error) {
	return readJSON[savedComments]("comments", s.path(name, commentsFile))
}

func (s *Store) saveComments(name string, c savedComments) error {
	return writeJSON("comments", s.path(name, commentsFile), c, durable)
}
