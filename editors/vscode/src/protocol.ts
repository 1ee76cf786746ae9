// Code generated from jsonrpc/wire.go and jsonrpc/commands.go by `go generate ./jsonrpc`. DO NOT EDIT.

/** Version of the `experimental.sketch` extension that both sides declare. */
export const protocolVersion = 1;

/** Commands of `workspace/executeCommand`. */
export const Command = {
  /** Start a session for a folder, attach to the one that it has, or resume it if it is stopped. */
  start: 'sketch.start',
  /** End a session for good: remove its container with everything inside. */
  stop: 'sketch.stop',
  /** List the sessions on this machine. */
  sessions: 'sketch.sessions',
  /** List the ports of a session. */
  ports: 'sketch.ports',
  /** Open a forwarded port in the browser. */
  openPort: 'sketch.openPort',
  /** Forward a port, or move it to another host port. */
  forward: 'sketch.forward',
  /** Stop forwarding a port. */
  unforward: 'sketch.unforward',
  /** Tell everything at a glance. */
  status: 'sketch.status',
  /** Check what sketch-ide needs on this machine. */
  doctor: 'sketch.doctor',
  /** Tell how to reach a session over SSH. */
  ssh: 'sketch.ssh',
  /** Remove what ended sessions left behind. */
  prune: 'sketch.prune',
  /** Tell what a session has changed since its base, by files and hunks. */
  diff: 'sketch.diff',
  /** Return a file of a session as it was at the base, is on the branch, or is inside now. */
  file: 'sketch.file',
  /** Collect remarks on lines of a session's work, and send them to the agent as one message. */
  comment: 'sketch.comment',
  /** Take a session's branch over into what is checked out on the host: merge, cherry-pick, squash or reset; nothing is done where that would conflict. */
  merge: 'sketch.merge',
  /** Tell how to open a session's folder in a window of its own over SSH, and open it when asked to. */
  openRemote: 'sketch.openRemote',
  /** Look whether `ssh sketch-…` works everywhere, install the line in the user's SSH configuration that makes it so, or remove it. */
  sshConfig: 'sketch.sshConfig',
  /** Send a message to the agent; it returns when the message was taken. */
  prompt: 'sketch.prompt',
  /** End what the agent does: the turn, or one tool call. */
  cancel: 'sketch.cancel',
  /** Answer a question of the agent. */
  answer: 'sketch.answer',
  /** Return the conversation with the agent, and how it stands. */
  conversation: 'sketch.conversation',
  /** List the models that the settings name. */
  models: 'sketch.models',
  /** Hand over a key for a model that the editor keeps; it is held in memory and never written. */
  setKey: 'sketch.setKey',
  /** Return the latest lines that a session's agent has written. */
  logs: 'sketch.logs',
} as const;

export type CommandName = (typeof Command)[keyof typeof Command];

/** What each command takes, as its only argument, and answers. */
export interface CommandMap {
  'sketch.start': { params: StartParams; result: Session };
  'sketch.stop': { params: SessionParams; result: null };
  'sketch.sessions': { params: undefined; result: SessionsResult };
  'sketch.ports': { params: SessionParams; result: PortsResult };
  'sketch.openPort': { params: OpenPortParams; result: OpenPortResult };
  'sketch.forward': { params: ForwardParams; result: Port };
  'sketch.unforward': { params: PortParams; result: null };
  'sketch.status': { params: undefined; result: Status };
  'sketch.doctor': { params: undefined; result: DoctorResult };
  'sketch.ssh': { params: SessionParams; result: SSHResult };
  'sketch.prune': { params: PruneParams; result: PruneResult };
  'sketch.diff': { params: DiffParams; result: DiffResult };
  'sketch.file': { params: FileParams; result: FileResult };
  'sketch.comment': { params: CommentParams; result: CommentsResult };
  'sketch.merge': { params: MergeParams; result: MergeResult };
  'sketch.openRemote': { params: OpenRemoteParams; result: OpenRemoteResult };
  'sketch.sshConfig': { params: SSHConfigParams; result: SSHConfigResult };
  'sketch.prompt': { params: PromptParams; result: PromptResult };
  'sketch.cancel': { params: CancelParams; result: null };
  'sketch.answer': { params: AnswerParams; result: null };
  'sketch.conversation': { params: ConversationParams; result: ConversationResult };
  'sketch.models': { params: undefined; result: ModelsResult };
  'sketch.setKey': { params: SetKeyParams; result: null };
  'sketch.logs': { params: LogsParams; result: LogsResult };
}

/** Notifications to clients that declare `experimental.sketch`. */
export const Notification = {
  /** The full state of a session, after each change. */
  session: '$/sketch/session',
  /** The full state of a session's ports, after each change. */
  ports: '$/sketch/ports',
  /** Something happened to one port. */
  portEvent: '$/sketch/portEvent',
  /** The full state of the branch that a session's commits come back as, after each change. */
  branch: '$/sketch/branch',
  /** How a session's agent stands, after each change. */
  agent: '$/sketch/agent',
  /** One message of the conversation with the agent, as it stands; again and again while it is streamed. Where an editor reads too slowly some are left out; `sketch.conversation` has them all. */
  message: '$/sketch/message',
} as const;

export type NotificationName = (typeof Notification)[keyof typeof Notification];

/** What each notification carries. */
export interface NotificationMap {
  '$/sketch/session': Session;
  '$/sketch/ports': PortsNotification;
  '$/sketch/portEvent': PortEventNotification;
  '$/sketch/branch': Branch;
  '$/sketch/agent': AgentStatus;
  '$/sketch/message': MessageNotification;
}

/** The `code` of an error, by its kind. Codes never change their meaning. */
export const ErrorCode = {
  /** No container engine answers. */
  noEngine: 1001,
  /** The container engine refused or failed. */
  engine: 1002,
  /** The image could not be built. */
  imageBuild: 1003,
  /** An image could not be pulled. */
  imagePull: 1004,
  /** The image is for another platform. */
  imagePlatform: 1005,
  /** This build of sketch-ide has no agent for the image's architecture. */
  noAgent: 1006,
  /** Git is missing. */
  noGit: 1101,
  /** The folder is not in a git repository. */
  notRepository: 1102,
  /** The repository has no commit yet. */
  noCommit: 1103,
  /** The repository could not be brought into the container. */
  checkout: 1104,
  /** There is no such session. */
  noSession: 1201,
  /** The session's container no longer exists. */
  sessionGone: 1202,
  /** The session is not connected. */
  disconnected: 1203,
  /** Another window owns the session. */
  notOwner: 1204,
  /** The port is not open or not forwarded. */
  noPort: 1301,
  /** The host port is in use. */
  portInUse: 1302,
  /** The host port may not be bound. */
  portDenied: 1303,
  /** No browser could be opened. */
  browser: 1304,
  /** The session has committed nothing yet. */
  noBranch: 1501,
  /** The working tree on the host has changes that are not committed. */
  dirty: 1502,
  /** The work conflicts with what is checked out on the host. */
  conflict: 1503,
  /** Git refused or failed. */
  git: 1504,
  /** The user's SSH configuration could not be read or changed. */
  sshConfig: 1505,
  /** No model, or no key for it, is configured. */
  noModel: 1601,
  /** The model's server refused or failed. */
  model: 1602,
  /** A budget is used up. */
  budget: 1603,
  /** There is no such question, or it needs no answer any more. */
  noQuestion: 1604,
  /** A setting is not valid. */
  settings: 1401,
  /** Too much is going on at once. */
  busy: 1402,
  /** The arguments are not valid. */
  arguments: -32602,
  /** A fault in sketch-ide. */
  internal: -32603,
  /** The request was cancelled. */
  cancelled: -32800,
} as const satisfies Record<Kind, number>;

/** SessionState is where a session stands. */
export type SessionState =
  | 'starting' // the container or the connection is being made
  | 'connected' // everything works
  | 'reconnecting' // the connection was lost and is being redialled
  | 'lost' // redialling has not helped for long; it goes on, slowly
  | 'stopped' // the container does not run: it ended by itself, was killed, or by `sketch-ide stop`; its files are kept and sketch.start resumes it
  | 'gone'; // the container was removed, by sketch.stop or from outside: the session is over

/** Session is one container with a repository in it, as the editor sees it. It is always the full state. */
export interface Session {
  /** Unique on this machine, e.g. "sketch-brave-otter". */
  name: string;
  /** Absolute path of the repository on the host. */
  folder: string;
  /** Where it stands. */
  state: SessionState;
  /** Number of the current redial, while reconnecting. */
  attempt?: number;
  /** Container ID. */
  container?: string;
  /** Image reference. */
  image?: string;
  /** Absolute path of the repository inside. */
  workspace?: string;
  /** Branch that the work is on, e.g. "sketch/fix-login". */
  branch?: string;
  /** Commit of the host that the session started from. */
  commit?: string;
  /** Arguments for ssh(1) that enter the session, quoted for a shell, e.g. "-F /path/ssh_config sketch-brave-otter". */
  ssh?: string;
  /** This window owns the session: it binds the ports and shows the toasts. */
  owner: boolean;
  /** When the container was created. */
  created?: string;
  /** Why it is not connected, when there is something to say. */
  error?: ErrorData;
  /** A sentence, while an editor's window is attached by Remote-SSH: whose it is, and who forwards the ports. */
  remote?: string;
  /** How its container ended, when it is stopped and that is known; 137: killed. */
  exitCode?: number;
}

/** PortStatus is what has become of a port that is open inside. */
export type PortStatus =
  | 'forwarded' // reachable on localhost at hostPort
  | 'listed' // open inside, not forwarded by policy; reason says why
  | 'stopped' // open inside, forwarding was stopped on request
  | 'failed' // could not be forwarded; reason says why
  | 'closed'; // just closed inside; the listener is kept for a moment in case it returns

/** PortAction is what should happen when a port is newly forwarded (devcontainer.json's onAutoForward). */
export type PortAction =
  | 'notify' // a toast
  | 'openBrowser' // open a browser each time, but not too often
  | 'openBrowserOnce' // open a browser the first time in a session, but not too often
  | 'openPreview' // open the editor's own preview, where it has one, but not too often
  | 'silent' // forward without a word
  | 'ignore'; // do not forward

/** Port is one port of a session that is open inside. It is always the full state. */
export interface Port {
  /** Port inside the container. */
  number: number;
  /** Port on localhost, when forwarded. */
  hostPort?: number;
  /** Where a browser finds it, when forwarded. */
  url?: string;
  /** What has become of it. */
  status: PortStatus;
  /** Why the host port differs or forwarding failed, e.g. "3000 is in use". */
  reason?: string;
  /** The user's name for it (portsAttributes). */
  label?: string;
  /** Short name of the process that listens, when known. */
  process?: string;
  /** Its process ID inside, when known. */
  pid?: number;
  /** "http" or "https", when configured. */
  protocol?: string;
  /** What should happen when it is newly forwarded. */
  action: PortAction;
  /** Addresses that it listens on inside. */
  addresses: string[];
  /** Grows each time the port newly opens, not on a restart; absent while nothing has listened on it yet. */
  generation?: number;
}

/** StartParams asks for a session. */
export interface StartParams {
  /** Path or file URI of a folder in the repository; default: the first workspace folder. */
  folder?: string;
  /** Name of the session to attach to or resume; default: the folder's. */
  session?: string;
  /** Make a session although the folder has one. */
  new?: boolean;
  /** Build the image again although its inputs did not change. */
  rebuild?: boolean;
}

/** SessionParams names a session. */
export interface SessionParams {
  /** Default: the session of this window. */
  session?: string;
}

/** PortParams names a port of a session. */
export interface PortParams {
  /** Default: the session of this window. */
  session?: string;
  /** Port inside the container. */
  port: number;
}

/** OpenPortParams names a port to open in the browser. */
export interface OpenPortParams {
  /** Default: the session of this window. */
  session?: string;
  /** Port inside the container; default: the one that is forwarded, where that is one. */
  port?: number;
}

/** ForwardParams asks to forward a port, or to move it to another host port. */
export interface ForwardParams {
  /** Default: the session of this window. */
  session?: string;
  /** Port inside the container. */
  port: number;
  /** Wanted port on localhost; default: the same number, else a free one. */
  hostPort?: number;
}

/** LogsParams asks for the latest lines that a session's agent has written. */
export interface LogsParams {
  /** Default: the session of this window. */
  session?: string;
  /** At most so many; default: 200. */
  lines?: number;
}

/** PruneParams asks to remove what earlier sessions left. */
export interface PruneParams {
  /** Only say what would be removed. */
  dryRun?: boolean;
  /** Only what was made at least so long ago, e.g. "7d" or "12h30m". */
  older?: string;
  /** Also sessions that run and that nobody is attached to. */
  all?: boolean;
  /** Leave the images, so that the next start of each repository stays quick. */
  keepImages?: boolean;
  /** Also sessions of other state directories of this machine that are gone. */
  orphans?: boolean;
  /** Also the removed sessions' branches, where a branch outside of sketch/ has all of their commits. */
  branches?: boolean;
}

/** SessionsResult lists the sessions on this machine. */
export interface SessionsResult {
  /** Newest first. */
  sessions: Session[];
}

/** PortsResult is the full state of a session's ports. */
export interface PortsResult {
  /** Its name. */
  session: string;
  /** Sorted by number. */
  ports: Port[];
}

/** OpenPortResult says what was opened. */
export interface OpenPortResult {
  /** What was opened. */
  url: string;
  /** The port as it stands. */
  port: Port;
}

/** SSHResult says how to reach a session over SSH. */
export interface SSHResult {
  /** Alias, valid with the file config (`ssh -F <config> <host>`); without -F and in Remote-SSH it works once that file is included in ~/.ssh/config. */
  host: string;
  /** Complete command line, quoted for a shell. */
  command: string;
  /** Path of the ssh_config(5) file with that alias. */
  config?: string;
  /** Absolute path of the repository inside. */
  workspace: string;
}

/** Status is everything at a glance. */
export interface Status {
  /** Version of sketch-ide. */
  version: string;
  /** The container engine, e.g. "Docker 28.5.2". */
  engine?: string;
  /** The sessions on this machine, newest first. */
  sessions: Session[];
  /** The ports of this window's session. */
  ports: Port[];
}

/** DoctorCheck is one thing that was checked. */
export interface DoctorCheck {
  /** What was checked, e.g. "Docker engine". */
  name: string;
  /** Whether it works. */
  ok: boolean;
  /** What was found. */
  detail: string;
  /** What to do, when it does not work. */
  hint?: string;
}

/** DoctorResult says what works on this machine. */
export interface DoctorResult {
  /** Every check passed. */
  ok: boolean;
  /** In the order in which they depend on each other. */
  checks: DoctorCheck[];
}

/** LogsResult is the tail of what the agent inside has written. */
export interface LogsResult {
  /** Its name. */
  session: string;
  /** Oldest first. */
  lines: string[];
}

/** PruneResult says what was removed, or would be. */
export interface PruneResult {
  /** "session", "image", "state", "probe" or "branch" and a name, e.g. "session sketch-calm-heron". */
  removed: string[];
  /** Disk space that was freed, as far as the engine can tell. */
  bytes: number;
}

/** PortsNotification carries the full state of a session's ports; it replaces what was sent before. */
export interface PortsNotification {
  /** Name of the session. */
  session: string;
  /** This window owns the session. */
  owner: boolean;
  /** Sorted by number. */
  ports: Port[];
}

/** PortEventType is what happened to a port. */
export type PortEventType =
  | 'opened' // newly open inside; its status says what has become of it
  | 'changed' // its status or host port changed
  | 'closed' // no longer open inside
  | 'preview'; // onAutoForward asks for the editor's preview, now

/** PortEventNotification tells that something happened to one port. Events may be dropped when an editor reads slowly; the full state in `$/sketch/ports` is what counts. */
export interface PortEventNotification {
  /** Name of the session. */
  session: string;
  /** What happened. */
  type: PortEventType;
  /** The port as it stands. */
  port: Port;
}

/** ErrorData goes with an error: in the `data` member of a JSON-RPC error, and in a session's `error`. */
export interface ErrorData {
  /** Stable name of what went wrong. */
  kind: Kind;
  /** What failed; absent in a JSON-RPC error, whose own message says it. */
  message?: string;
  /** One thing to do about it, a sentence. */
  hint?: string;
  /** Trying again, unchanged, may help. */
  retryable: boolean;
}

/** SketchClient is what an editor declares as `capabilities.experimental.sketch` in its initialize request. */
export interface SketchClient {
  /** 1. */
  version: number;
  /** Toast actions that the editor does by itself. */
  actions?: ClientAction[];
  /** The settings that reach beyond the container, see Settings, are the user's alone: the editor takes none of them from a repository's files. */
  userSettings?: boolean;
}

/** SketchServer is what the server declares as `capabilities.experimental.sketch` in its answer. */
export interface SketchServer {
  /** 1. */
  version: number;
}

/** ClientAction is a toast action that the editor does by itself when the user chooses it. */
export type ClientAction =
  | 'preview' // show the URL in the editor's own browser
  | 'copyUrl'; // put the URL on the clipboard

/** ToastAction is the item of a `window/showMessageRequest` about ports. The members beside the title are sent to clients that declare `window.showMessage.messageActionItem.additionalPropertiesSupport` or `experimental.sketch`. */
export interface ToastAction {
  /** What the button says. */
  title: string;
  /** "open", "stop", or a ClientAction. */
  action?: string;
  /** Name of the session. */
  session?: string;
  /** Port inside the container. */
  port?: number;
  /** Where a browser finds it. */
  url?: string;
}

/** NotificationStyle is how an editor wants to be told about ports. */
export type NotificationStyle =
  | 'actions' // window/showMessageRequest, with buttons
  | 'message' // window/showMessage
  | 'none'; // nothing

/** Branch is the branch on the host that a session's commits come back as. It is always the full state. */
export interface Branch {
  /** Name of the session. */
  session: string;
  /** Short name on the host, e.g. "sketch/fix-login". */
  name: string;
  /** It is on the host: something was committed inside. */
  exists: boolean;
  /** Its tip on the host. */
  commit?: string;
  /** First line of the tip's message. */
  subject?: string;
  /** Commit of the host that the work started from. */
  base: string;
  /** Branch that was checked out on the host when the session started. */
  baseBranch?: string;
  /** Commits since base. */
  ahead: number;
  /** Commits that baseBranch has got since base. */
  behind: number;
  /** When commits last arrived. */
  updated?: string;
  /** Why the latest commits are not on the host, when they are not. */
  error?: ErrorData;
  /** Further branches that were made inside, at most 16. */
  others?: OtherBranch[];
  /** There are more inside, which are not brought out. */
  othersLeft?: boolean;
  /** A commit inside that no branch there has, so that it is not brought out. */
  detached?: string;
}

/** OtherBranch is a branch that was made inside beside the one that the work began on. Its name on the host is made of the name there: "sketch/fix-login--try-two". */
export interface OtherBranch {
  /** Short name inside, which whoever works there has chosen. */
  inside: string;
  /** Short name on the host, once it is there. */
  name?: string;
  /** The latest that was brought out. */
  commit?: string;
  /** Commits up to it since base. */
  ahead: number;
  /** Why the latest commits are not on the host, when they are not. */
  error?: ErrorData;
}

/** DiffParams asks what a session has changed. */
export interface DiffParams {
  /** Default: the session of this window. */
  session?: string;
  /** Name on the host of one of the session's other branches; default: its own. */
  branch?: string;
  /** Up to the files as they are inside, rather than to the branch's tip. */
  uncommitted?: boolean;
  /** Only this file, relative to the repository; default: all. */
  path?: string;
  /** Lines around a change, 0 meaning 3; -1 asks for no hunks at all. */
  context?: number;
}

/** FileStatus is how a file differs. */
export type FileStatus =
  | 'added' // it is new
  | 'modified' // its content or mode differs
  | 'deleted' // it is gone
  | 'renamed' // it was oldPath, and may differ too
  | 'typeChanged'; // it became a symbolic link, a submodule or an ordinary file

/** DiffResult is what a session has changed since its base. */
export interface DiffResult {
  /** Its name. */
  session: string;
  /** Short name on the host. */
  branch: string;
  /** Commit on the left. */
  base: string;
  /** Commit on the right; absent for files as they are inside. */
  head?: string;
  /** Sorted by path. */
  files: DiffFile[];
  /** There is more than can be sent; ask for single files. */
  truncated?: boolean;
}

/** DiffFile is one file that differs. */
export interface DiffFile {
  /** Relative to the repository, with slashes. */
  path: string;
  /** Of a renamed file. */
  oldPath?: string;
  /** How it differs. */
  status: FileStatus;
  /** It has no lines. */
  binary?: boolean;
  /** Lines. */
  added: number;
  /** Lines. */
  deleted: number;
  /** The changes, in order. */
  hunks?: DiffHunk[];
}

/** DiffHunk is one place that differs, as in a unified diff. */
export interface DiffHunk {
  /** First line on the left, from 1. */
  oldStart: number;
  /** Number of lines on the left. */
  oldLines: number;
  /** First line on the right, from 1. */
  newStart: number;
  /** Number of lines on the right. */
  newLines: number;
  /** The function or section that it is in. */
  header?: string;
  /** Each with a first character " ", "+", "-" or "\\". */
  lines: string[];
}

/** FileVersion is one of the states that a file of a session has. */
export type FileVersion =
  | 'base' // at the commit that the work started from
  | 'branch' // at the branch's tip on the host
  | 'inside'; // as it is inside now

/** FileParams asks for one version of a file. */
export interface FileParams {
  /** Default: the session of this window. */
  session?: string;
  /** Relative to the repository, with slashes. */
  path: string;
  /** Which one. */
  version: FileVersion;
  /** Name on the host of one of the session's other branches, whose file it is; default: its own. */
  branch?: string;
}

/** FileResult is one version of a file. */
export interface FileResult {
  /** The file is there in that version. */
  exists: boolean;
  /** It has no lines, and no content is sent. */
  binary?: boolean;
  /** UTF-8. */
  content?: string;
}

/** Side is a side of a diff. */
export type Side =
  | 'old' // the base
  | 'new'; // the session's work

/** Comment is a remark on a line, kept until it is sent to the agent. */
export interface Comment {
  /** Names it in this session. */
  id: string;
  /** Relative to the repository, with slashes. */
  path: string;
  /** From 1. */
  line: number;
  /** Of the diff; default: new. */
  side?: Side;
  /** What is said. */
  text: string;
}

/** CommentParams adds a comment (path, line, text), changes one (id, text), removes one (id alone), or sends all that were collected to the agent as one message (send). Without any of these it only lists. */
export interface CommentParams {
  /** Default: the session of this window. */
  session?: string;
  /** Of the comment to change or remove. */
  id?: string;
  /** Of a new comment. */
  path?: string;
  /** Of a new comment. */
  line?: number;
  /** Of a new comment. */
  side?: Side;
  /** New text. */
  text?: string;
  /** Send all comments, after this change. */
  send?: boolean;
}

/** CommentsResult are the comments that wait to be sent. */
export interface CommentsResult {
  /** Its name. */
  session: string;
  /** In the order in which they were made; those that were just sent are no longer here. */
  comments: Comment[];
  /** How many were just sent. */
  sent?: number;
}

/** MergeHow is a way to take over a session's work. */
export type MergeHow =
  | 'merge' // git merge, a fast-forward where possible
  | 'cherryPick' // each commit anew on top of what is checked out
  | 'squash' // all in one commit
  | 'reset'; // the checked-out branch becomes the session's; commits that it had besides are left behind

/** MergeParams asks to take a session's branch over into what is checked out on the host. */
export interface MergeParams {
  /** Default: the session of this window. */
  session?: string;
  /** Default: merge. */
  how?: MergeHow;
  /** Name on the host of one of the session's other branches, to take that over; default: its own. */
  branch?: string;
  /** Of the commit that a merge or squash makes; default: made from the branch. */
  message?: string;
  /** Only predict. */
  dryRun?: boolean;
}

/** MergeResult says what a merge did or would do. */
export interface MergeResult {
  /** Its name. */
  session: string;
  /** What was taken over. */
  branch: string;
  /** Short name of the branch that is checked out on the host; "HEAD" when none is. */
  into: string;
  /** The way. */
  how: MergeHow;
  /** That are taken over. */
  commits: number;
  /** That a reset leaves behind. */
  lost?: number;
  /** Paths that would conflict; then nothing is done. */
  conflicts?: string[];
  /** The host's branch has the work now. */
  done: boolean;
  /** What is checked out on the host now. */
  commit?: string;
}

/** OpenRemoteResult says how to open a session's folder in an editor window of its own, over SSH. */
export interface OpenRemoteResult {
  /** Vscode-remote://ssh-remote+<host>/<path>. */
  uri: string;
  /** Alias for ssh(1). */
  host: string;
  /** Absolute path of the repository inside. */
  workspace: string;
  /** The user's SSH configuration knows the alias; Remote-SSH needs that (sketch.sshConfig installs it). */
  included: boolean;
  /** What to know about it, e.g. of the ports that such a window forwards by itself. */
  note?: string;
  /** The editor was asked to open it by window/showDocument. */
  shown?: boolean;
}

/** OpenRemoteParams asks to open a session's folder in a window of its own. */
export interface OpenRemoteParams {
  /** Default: the session of this window. */
  session?: string;
  /** Absolute path inside; default: the repository's. */
  path?: string;
  /** Ask the editor to open it, by window/showDocument; default: only answer. */
  show?: boolean;
}

/** SSHConfigAction is what to do about the user's SSH configuration. */
export type SSHConfigAction =
  | 'status' // only look
  | 'install' // add the one Include line
  | 'remove'; // remove it

/** SSHConfigParams asks about the line in the user's SSH configuration that makes `ssh sketch-…` work everywhere. */
export interface SSHConfigParams {
  /** Default: status. */
  action?: SSHConfigAction;
  /** Absolute path of the file, where the editor's Remote-SSH is set to another; default: ~/.ssh/config. */
  file?: string;
}

/** SSHConfigResult says how the user's SSH configuration stands. */
export interface SSHConfigResult {
  /** The line is there. */
  installed: boolean;
  /** The user's file. */
  file: string;
  /** The line. */
  line: string;
  /** The file was changed just now. */
  changed: boolean;
}

/** AgentState is what the agent is doing. */
export type AgentState =
  | 'off' // no model or no key is configured; everything else works
  | 'idle' // it waits for a prompt
  | 'thinking' // the model answers
  | 'tools' // tools run
  | 'asking' // it asked something and waits for the answer
  | 'retrying' // the model's server was not to be had; it tries again
  | 'compacting' // it makes room in its context
  | 'cancelling'; // what runs is being ended

/** TurnOutcome is how a turn ended. */
export type TurnOutcome =
  | 'done' // the agent says that it has finished
  | 'cancelled' // the user cancelled it
  | 'failed' // something kept it from going on; the last notice says what
  | 'budget'; // a budget was used up

/** AgentStatus is how a session's agent stands. It is always the full state. */
export interface AgentStatus {
  /** Name of the session. */
  session: string;
  /** What it is doing. */
  state: AgentState;
  /** Name of the model in use. */
  model?: string;
  /** Number of the current or last turn; 0: none yet. */
  turn: number;
  /** How the last turn ended, when idle. */
  outcome?: TurnOutcome;
  /** Messages that wait for the next tool boundary. */
  queued?: number;
  /** When the current turn began, while there is one. */
  since?: string;
  /** The agent's plan. */
  todo?: TodoItem[];
  /** Of the whole session. */
  usage: Usage;
  /** Tokens of the context that the last request took. */
  contextUsed?: number;
  /** Tokens that the model has room for. */
  contextSize?: number;
  /** Files that the last turn left uncommitted inside, at most 100. */
  uncommitted?: string[];
  /** Why it is off, why the last turn failed, or what is being retried. */
  error?: ErrorData;
}

/** TodoStatus is how far an item of the agent's plan is. */
export type TodoStatus =
  | 'pending' // to be done
  | 'active' // being done
  | 'done'; // done

/** TodoItem is one item of the agent's plan. */
export interface TodoItem {
  /** Names it in the plan. */
  id: string;
  /** What is to be done. */
  text: string;
  /** How far it is. */
  status: TodoStatus;
}

/** Usage is what was used of a model. */
export interface Usage {
  /** Sent, not counting those from the cache. */
  inputTokens: number;
  /** Generated, thinking included. */
  outputTokens: number;
  /** Sent and read from the cache. */
  cacheReadTokens?: number;
  /** Sent and written to the cache. */
  cacheWriteTokens?: number;
  /** By the prices in the settings; 0 where a model has none. */
  dollars: number;
  /** Dollars is known: each model used has a price. */
  priced: boolean;
}

/** MessageKind is what a message of the conversation is. */
export type MessageKind =
  | 'user' // somebody prompted
  | 'assistant' // the model said something
  | 'tool' // the agent used a tool
  | 'question' // the agent asks; sketch.answer answers
  | 'notice'; // something happened: a commit, a retry, a compaction, a budget, an error

/** Message is one message of a conversation. While it is streamed it is sent again and again, each time as it stands; what has its id replaces it. */
export interface Message {
  /** Names it in the conversation. */
  id: string;
  /** Its place: larger is later. */
  seq: number;
  /** What it is. */
  kind: MessageKind;
  /** When it began. */
  time: string;
  /** Number of the turn that it belongs to. */
  turn: number;
  /** It will not change any more. */
  done: boolean;
  /** What was said, Markdown. */
  text?: string;
  /** What the model thought first, where it shows that. */
  thinking?: string;
  /** That belong to it, such as screenshots. */
  images?: Image[];
  /** Of a tool message. */
  tool?: ToolCall;
  /** Of a question. */
  question?: Question;
  /** Of an assistant message that is done. */
  usage?: Usage;
  /** Of a notice about something that failed. */
  error?: ErrorData;
}

/** Image is a picture. */
export interface Image {
  /** Image/png, image/jpeg, image/gif or image/webp. */
  mimeType: string;
  /** Base64. */
  data: string;
  /** Of the file, where it had one. */
  name?: string;
}

/** ToolState is how far a tool call is. */
export type ToolState =
  | 'pending' // its input is still being written
  | 'running' // it runs
  | 'done' // it succeeded
  | 'failed' // it failed; output says why
  | 'cancelled'; // it was ended by the user

/** ToolCall is one use of a tool. */
export interface ToolCall {
  /** Names it for sketch.cancel. */
  id: string;
  /** Of the tool, e.g. "bash". */
  name: string;
  /** What it does, in a line for people, e.g. "go test ./...". */
  title: string;
  /** How far it is. */
  state: ToolState;
  /** As the model gave it. */
  input?: unknown;
  /** What came of it, or the end of that where it is long. */
  output?: string;
  /** Unified diff of what it changed, where it edits files. */
  diff?: string;
  /** How long it took, in milliseconds. */
  durationMs?: number;
}

/** Question is something that the agent asks its user. */
export interface Question {
  /** What is asked. */
  text: string;
  /** Answers to choose from; any other text is an answer too. */
  options?: string[];
  /** What was answered. */
  answer?: string;
  /** It needs no answer any more: answered, or its turn is over. */
  answered?: boolean;
}

/** PromptParams is a message to the agent. While a turn runs it steers that one at its next tool boundary; else it begins one. */
export interface PromptParams {
  /** Default: the session of this window. */
  session?: string;
  /** The message; a word `@path` brings that file along. */
  text: string;
  /** Pictures. */
  images?: Image[];
  /** Code that it is about. */
  context?: PromptContext[];
  /** Name of the model from here on; default: as before. */
  model?: string;
}

/** PromptContext is code that a prompt is about. */
export interface PromptContext {
  /** Relative to the repository, with slashes. */
  path: string;
  /** First line, from 1; absent for a whole file. */
  startLine?: number;
  /** Last line. */
  endLine?: number;
  /** The lines as the editor has them; absent: as they are inside. */
  text?: string;
}

/** PromptResult says that a message was taken. */
export interface PromptResult {
  /** Its name. */
  session: string;
  /** Of the message in the conversation. */
  id: string;
  /** The turn that it belongs to. */
  turn: number;
  /** That turn was running already. */
  steered: boolean;
}

/** CancelParams asks to end what the agent does. */
export interface CancelParams {
  /** Default: the session of this window. */
  session?: string;
  /** Only this tool call; default: the whole turn. */
  tool?: string;
}

/** AnswerParams answers a question of the agent. */
export interface AnswerParams {
  /** Default: the session of this window. */
  session?: string;
  /** Of the message that asks. */
  id: string;
  /** One of its options, or any text. */
  answer: string;
}

/** ConversationParams asks for the conversation. */
export interface ConversationParams {
  /** Default: the session of this window. */
  session?: string;
  /** Only messages with a larger seq. */
  after?: number;
  /** At most so many, the latest; default: 200. */
  limit?: number;
}

/** ConversationResult is a conversation, or its end. */
export interface ConversationResult {
  /** Its name. */
  session: string;
  /** How the agent stands. */
  status: AgentStatus;
  /** In order. */
  messages: Message[];
  /** There are earlier ones that were not sent. */
  more?: boolean;
}

/** MessageNotification carries one message of the conversation, as it stands. */
export interface MessageNotification {
  /** Name of the session. */
  session: string;
  /** What has its id is replaced. */
  message: Message;
}

/** FocusParams says whether the editor's window has the focus. */
export interface FocusParams {
  /** It has: its user sees the agent, so that no toast is needed. */
  focused: boolean;
}

/** ModelInfo is a model that the settings name. */
export interface ModelInfo {
  /** For people and for sketch.prompt. */
  name: string;
  /** "anthropic" or "openai". */
  provider: string;
  /** As the provider calls it. */
  model: string;
  /** Its key was found. */
  ready: boolean;
  /** Why it is not ready. */
  error?: ErrorData;
}

/** ModelsResult lists the models that the settings name. */
export interface ModelsResult {
  /** In the order of the settings. */
  models: ModelInfo[];
  /** Name of the one that is used unless a prompt names another. */
  default?: string;
}

/** SetKeyParams hands over a key that the editor keeps (secret storage). It stays in this process's memory. */
export interface SetKeyParams {
  /** Of a model, or "anthropic" or "openai" for all of that provider. */
  name: string;
  /** Empty: forget it. */
  key: string;
}

/** Kind is the stable name of what went wrong. Each kind has a stable code; see [Kinds]. */
export type Kind =
  | 'noEngine'
  | 'engine'
  | 'imageBuild'
  | 'imagePull'
  | 'imagePlatform'
  | 'noAgent'
  | 'noGit'
  | 'notRepository'
  | 'noCommit'
  | 'checkout'
  | 'noSession'
  | 'sessionGone'
  | 'disconnected'
  | 'notOwner'
  | 'noPort'
  | 'portInUse'
  | 'portDenied'
  | 'browser'
  | 'noBranch'
  | 'dirty'
  | 'conflict'
  | 'git'
  | 'sshConfig'
  | 'noModel'
  | 'model'
  | 'budget'
  | 'noQuestion'
  | 'settings'
  | 'busy'
  | 'internal'
  | 'arguments'
  | 'cancelled';
