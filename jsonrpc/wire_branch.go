package jsonrpc

import "time"

// This file is the part of wire.go about a session's commits: the branch that they come back as, what is in it, what is said about it, and how it is merged.

// Branch is the branch on the host that a session's commits come back as. It is always the full state.
type Branch struct {
	Session    string     `json:"session"`             // name of the session
	Name       string     `json:"name"`                // short name on the host, e.g. "sketch/fix-login"
	Exists     bool       `json:"exists"`              // it is on the host: something was committed inside
	Commit     string     `json:"commit,omitzero"`     // its tip on the host
	Subject    string     `json:"subject,omitzero"`    // first line of the tip's message
	Base       string     `json:"base"`                // commit of the host that the work started from
	BaseBranch string     `json:"baseBranch,omitzero"` // branch that was checked out on the host when the session started
	Ahead      int        `json:"ahead"`               // commits since base
	Behind     int        `json:"behind"`              // commits that baseBranch has got since base
	Updated    time.Time  `json:"updated,omitzero"`    // when commits last arrived
	Error      *ErrorData `json:"error,omitzero"`      // why the latest commits are not on the host, when they are not

	Others     []OtherBranch `json:"others,omitzero"`     // further branches that were made inside, at most 16
	OthersLeft bool          `json:"othersLeft,omitzero"` // there are more inside, which are not brought out
	Detached   string        `json:"detached,omitzero"`   // a commit inside that no branch there has, so that it is not brought out
}

// OtherBranch is a branch that was made inside beside the one that the work began on. Its name on the host is made of the name there: "sketch/fix-login--try-two".
type OtherBranch struct {
	Inside string     `json:"inside"`          // short name inside, which whoever works there has chosen
	Name   string     `json:"name,omitzero"`   // short name on the host, once it is there
	Commit string     `json:"commit,omitzero"` // the latest that was brought out
	Ahead  int        `json:"ahead"`           // commits up to it since base
	Error  *ErrorData `json:"error,omitzero"`  // why the latest commits are not on the host, when they are not
}

// DiffParams asks what a session has changed.
type DiffParams struct {
	Session     string `json:"session,omitzero"`     // default: the session of this window
	Branch      string `json:"branch,omitzero"`      // name on the host of one of the session's other branches; default: its own
	Uncommitted bool   `json:"uncommitted,omitzero"` // up to the files as they are inside, rather than to the branch's tip
	Path        string `json:"path,omitzero"`        // only this file, relative to the repository; default: all
	Context     int    `json:"context,omitzero"`     // lines around a change, 0 meaning 3; -1 asks for no hunks at all
}

// FileStatus is how a file differs.
type FileStatus string

// The file statuses.
const (
	FileAdded       FileStatus = "added"       // it is new
	FileModified    FileStatus = "modified"    // its content or mode differs
	FileDeleted     FileStatus = "deleted"     // it is gone
	FileRenamed     FileStatus = "renamed"     // it was oldPath, and may differ too
	FileTypeChanged FileStatus = "typeChanged" // it became a symbolic link, a submodule or an ordinary file
)

// DiffResult is what a session has changed since its base.
type DiffResult struct {
	Session   string     `json:"session"`            // its name
	Branch    string     `json:"branch"`             // short name on the host
	Base      string     `json:"base"`               // commit on the left
	Head      string     `json:"head,omitzero"`      // commit on the right; absent for files as they are inside
	Files     []DiffFile `json:"files"`              // sorted by path
	Truncated bool       `json:"truncated,omitzero"` // there is more than can be sent; ask for single files
}

// DiffFile is one file that differs.
type DiffFile struct {
	Path    string     `json:"path"`             // relative to the repository, with slashes
	OldPath string     `json:"oldPath,omitzero"` // of a renamed file
	Status  FileStatus `json:"status"`           // how it differs
	Binary  bool       `json:"binary,omitzero"`  // it has no lines
	Added   int        `json:"added"`            // lines
	Deleted int        `json:"deleted"`          // lines
	Hunks   []DiffHunk `json:"hunks,omitzero"`   // the changes, in order
}

// DiffHunk is one place that differs, as in a unified diff.
type DiffHunk struct {
	OldStart int      `json:"oldStart"`        // first line on the left, from 1
	OldLines int      `json:"oldLines"`        // number of lines on the left
	NewStart int      `json:"newStart"`        // first line on the right, from 1
	NewLines int      `json:"newLines"`        // number of lines on the right
	Header   string   `json:"header,omitzero"` // the function or section that it is in
	Lines    []string `json:"lines"`           // each with a first character " ", "+", "-" or "\\"
}

// FileVersion is one of the states that a file of a session has.
type FileVersion string

// The file versions.
const (
	VersionBase   FileVersion = "base"   // at the commit that the work started from
	VersionBranch FileVersion = "branch" // at the branch's tip on the host
	VersionInside FileVersion = "inside" // as it is inside now
)

// FileParams asks for one version of a file.
type FileParams struct {
	Session string      `json:"session,omitzero"` // default: the session of this window
	Path    string      `json:"path"`             // relative to the repository, with slashes
	Version FileVersion `json:"version"`          // which one
	Branch  string      `json:"branch,omitzero"`  // name on the host of one of the session's other branches, whose file it is; default: its own
}

// FileResult is one version of a file.
type FileResult struct {
	Exists  bool   `json:"exists"`           // the file is there in that version
	Binary  bool   `json:"binary,omitzero"`  // it has no lines, and no content is sent
	Content string `json:"content,omitzero"` // UTF-8
}

// Side is a side of a diff.
type Side string

// The sides.
const (
	SideOld Side = "old" // the base
	SideNew Side = "new" // the session's work
)

// Comment is a remark on a line, kept until it is sent to the agent.
type Comment struct {
	ID   string `json:"id"`            // names it in this session
	Path string `json:"path"`          // relative to the repository, with slashes
	Line int    `json:"line"`          // from 1
	Side Side   `json:"side,omitzero"` // of the diff; default: new
	Text string `json:"text"`          // what is said
}

// CommentParams adds a comment (path, line, text), changes one (id, text), removes one (id alone), or sends all that were collected to the agent as one
// message (send). Without any of these it only lists.
type CommentParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	ID      string `json:"id,omitzero"`      // of the comment to change or remove
	Path    string `json:"path,omitzero"`    // of a new comment
	Line    int    `json:"line,omitzero"`    // of a new comment
	Side    Side   `json:"side,omitzero"`    // of a new comment
	Text    string `json:"text,omitzero"`    // new text
	Send    bool   `json:"send,omitzero"`    // send all comments, after this change
}

// CommentsResult are the comments that wait to be sent.
type CommentsResult struct {
	Session  string    `json:"session"`       // its name
	Comments []Comment `json:"comments"`      // in the order in which they were made; those that were just sent are no longer here
	Sent     int       `json:"sent,omitzero"` // how many were just sent
}

// MergeHow is a way to take over a session's work.
type MergeHow string

// The ways.
const (
	MergeMerge      MergeHow = "merge"      // git merge, a fast-forward where possible
	MergeCherryPick MergeHow = "cherryPick" // each commit anew on top of what is checked out
	MergeSquash     MergeHow = "squash"     // all in one commit
	MergeReset      MergeHow = "reset"      // the checked-out branch becomes the session's; commits that it had besides are left behind
)

// MergeParams asks to take a session's branch over into what is checked out on the host.
type MergeParams struct {
	Session string   `json:"session,omitzero"` // default: the session of this window
	How     MergeHow `json:"how,omitzero"`     // default: merge
	Branch  string   `json:"branch,omitzero"`  // name on the host of one of the session's other branches, to take that over; default: its own
	Message string   `json:"message,omitzero"` // of the commit that a merge or squash makes; default: made from the branch
	DryRun  bool     `json:"dryRun,omitzero"`  // only predict
}

// MergeResult says what a merge did or would do.
type MergeResult struct {
	Session   string   `json:"session"`            // its name
	Branch    string   `json:"branch"`             // what was taken over
	Into      string   `json:"into"`               // short name of the branch that is checked out on the host; "HEAD" when none is
	How       MergeHow `json:"how"`                // the way
	Commits   int      `json:"commits"`            // that are taken over
	Lost      int      `json:"lost,omitzero"`      // that a reset leaves behind
	Conflicts []string `json:"conflicts,omitzero"` // paths that would conflict; then nothing is done
	Done      bool     `json:"done"`               // the host's branch has the work now
	Commit    string   `json:"commit,omitzero"`    // what is checked out on the host now
}

// OpenRemoteResult says how to open a session's folder in an editor window of its own, over SSH.
type OpenRemoteResult struct {
	URI       string `json:"uri"`            // vscode-remote://ssh-remote+<host>/<path>
	Host      string `json:"host"`           // alias for ssh(1)
	Workspace string `json:"workspace"`      // absolute path of the repository inside
	Included  bool   `json:"included"`       // the user's SSH configuration knows the alias; Remote-SSH needs that (sketch.sshConfig installs it)
	Note      string `json:"note,omitzero"`  // what to know about it, e.g. of the ports that such a window forwards by itself
	Shown     bool   `json:"shown,omitzero"` // the editor was asked to open it by window/showDocument
}

// OpenRemoteParams asks to open a session's folder in a window of its own.
type OpenRemoteParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	Path    string `json:"path,omitzero"`    // absolute path inside; default: the repository's
	Show    bool   `json:"show,omitzero"`    // ask the editor to open it, by window/showDocument; default: only answer
}

// SSHConfigAction is what to do about the user's SSH configuration.
type SSHConfigAction string

// The actions.
const (
	SSHConfigStatus  SSHConfigAction = "status"  // only look
	SSHConfigInstall SSHConfigAction = "install" // add the one Include line
	SSHConfigRemove  SSHConfigAction = "remove"  // remove it
)

// SSHConfigParams asks about the line in the user's SSH configuration that makes `ssh sketch-…` work everywhere.
type SSHConfigParams struct {
	Action SSHConfigAction `json:"action,omitzero"` // default: status
	File   string          `json:"file,omitzero"`   // absolute path of the file, where the editor's Remote-SSH is set to another; default: ~/.ssh/config
}

// SSHConfigResult says how the user's SSH configuration stands.
type SSHConfigResult struct {
	Installed bool   `json:"installed"` // the line is there
	File      string `json:"file"`      // the user's file
	Line      string `json:"line"`      // the line
	Changed   bool   `json:"changed"`   // the file was changed just now
}
