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
  'sketch.openPort': { params: PortParams; result: OpenPortResult };
  'sketch.forward': { params: ForwardParams; result: Port };
  'sketch.unforward': { params: PortParams; result: null };
  'sketch.status': { params: undefined; result: Status };
  'sketch.doctor': { params: undefined; result: DoctorResult };
  'sketch.ssh': { params: SessionParams; result: SSHResult };
  'sketch.prune': { params: PruneParams; result: PruneResult };
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
} as const;

export type NotificationName = (typeof Notification)[keyof typeof Notification];

/** What each notification carries. */
export interface NotificationMap {
  '$/sketch/session': Session;
  '$/sketch/ports': PortsNotification;
  '$/sketch/portEvent': PortEventNotification;
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
  /** How its container ended, when it is stopped and that is known; 137: killed. */
  exitCode?: number;
}

/** PortStatus is what has become of a port that is open inside. */
export type PortStatus =
  | 'forwarded' // reachable on localhost at hostPort
  | 'listed' // open inside, not forwarded by policy
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
  /** "session", "image" or "state" and a name, e.g. "session sketch-calm-heron". */
  removed: string[];
  /** Disk space that was freed, when known. */
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
  | 'settings'
  | 'busy'
  | 'internal'
  | 'arguments'
  | 'cancelled';
