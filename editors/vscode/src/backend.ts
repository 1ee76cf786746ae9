// The backend of this window: found, started on demand, restarted within limits, stopped with the window.

import { accessSync, constants, statSync } from 'node:fs';
import * as vscode from 'vscode';
import { Connection, type Listener } from './connection';
import { type CommandMap, type CommandName, protocolVersion } from './protocol';
import { coalesce, RestartPolicy } from './restart';
import {
  findServer,
  probeVersion,
  protocolMismatch,
  type Server,
  ServerError,
  type ServerVersion,
} from './server';
import type { BackendState } from './status';
import { clientActions } from './toast';

export interface BackendOptions {
  readonly extensionPath: string;
  readonly log: vscode.LogOutputChannel;
  /** What the backend is told of the settings. */
  readonly settings: (folder: vscode.WorkspaceFolder | undefined) => Record<string, unknown>;
  /** Without `crashed`, which the backend handles itself. */
  readonly listener: Omit<Listener, 'crashed'>;
  /** The backend runs, for the first time or again. */
  readonly connected: () => void;
  /** The connection ended and what it said is void. */
  readonly disconnected: () => void;
  /** The backend crashed too often and stays down. */
  readonly gaveUp: (reason: string) => void;
  /** The backend speaks another version of the protocol. */
  readonly mismatch: (sentence: string) => void;
}

export class Backend implements vscode.Disposable {
  readonly #options: BackendOptions;
  readonly #changed = new vscode.EventEmitter<BackendState>();
  readonly #policy = new RestartPolicy();
  #state: BackendState = { kind: 'stopped' };
  #connecting: Promise<Connection> | undefined;
  #server: Server | undefined;
  #disposed = false;

  readonly onDidChangeState = this.#changed.event;
  /** Stops the backend and starts it again; calls during a restart share one more. */
  readonly restart: () => Promise<void>;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.restart = coalesce(() => this.#restart());
  }

  get state(): BackendState {
    return this.#state;
  }

  /** The executable that runs, or ran last. */
  get server(): Server | undefined {
    return this.#server;
  }

  /**
   * Returns the connection, and starts the backend where there is none.
   *
   * @throws ServerError
   */
  connect(): Promise<Connection> {
    this.#connecting ??= this.#open();
    return this.#connecting;
  }

  /** Runs a command of the backend, which is started where needed. */
  async execute<C extends CommandName>(
    command: C,
    argument?: CommandMap[C]['params'],
  ): Promise<CommandMap[C]['result']> {
    const connection = await this.connect();
    return await connection.execute(command, argument);
  }

  /** Tells a running backend the settings. */
  async configure(): Promise<void> {
    if (this.#state.kind !== 'running') return;
    const connection = await this.connect();
    await connection.configure();
  }

  /** Tells a running backend whether the window has the focus. */
  async focus(focused: boolean): Promise<void> {
    if (this.#state.kind !== 'running') return;
    const connection = await this.connect();
    await connection.focus(focused);
  }

  async stop(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    const connection = await connecting?.catch(() => undefined);
    await connection?.close();
    this.#setState({ kind: 'stopped' });
    this.#options.disconnected();
  }

  dispose(): void {
    this.#disposed = true;
    this.#changed.dispose();
  }

  async #restart(): Promise<void> {
    this.#policy.reset();
    await this.stop();
    await this.connect();
  }

  async #open(): Promise<Connection> {
    this.#setState({ kind: 'starting' });
    try {
      if (!vscode.workspace.isTrusted) throw untrusted();
      const server = findServer(this.#places());
      this.#server = server;
      const found = await probeVersion(server.path);
      this.#compare(found);
      const connection = await this.#openConnection(server);
      this.#setState({ kind: 'running', version: found.version });
      this.#options.connected();
      return connection;
    } catch (error) {
      this.#connecting = undefined; // the next command tries again
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.error(reason);
      this.#setState({ kind: 'failed', reason });
      throw error;
    }
  }

  async #openConnection(server: Server): Promise<Connection> {
    const folder = localFolders()[0];
    return await Connection.open({
      server,
      directory: folder?.uri.fsPath,
      settings: () => this.#options.settings(folder),
      // What reaches beyond the container has the scope "machine" in package.json: no folder can set it.
      capabilities: { version: protocolVersion, actions: clientActions, userSettings: true },
      log: this.#options.log,
      listener: { ...this.#options.listener, crashed: reason => this.#crashed(reason) },
    });
  }

  #crashed(reason: string): void {
    if (this.#disposed) return;
    this.#connecting = undefined;
    this.#options.log.error(`the backend ended unasked: ${reason}`);
    this.#options.disconnected();
    if (!this.#policy.crashed()) {
      this.#setState({ kind: 'failed', reason: 'The backend crashed too often and stays stopped.' });
      this.#options.gaveUp(reason);
      return;
    }
    // A start that fails is in the log and in the status item.
    void this.connect().catch(() => {});
  }

  #places(): Parameters<typeof findServer>[0] {
    return {
      setting: vscode.workspace.getConfiguration('sketch').get('serverPath', ''),
      environment: process.env,
      extensionPath: this.#options.extensionPath,
      platform: process.platform,
      isExecutable,
    };
  }

  #compare(found: ServerVersion): void {
    const sentence = protocolMismatch(protocolVersion, found);
    if (sentence === undefined) return;
    this.#options.log.warn(sentence);
    this.#options.mismatch(sentence);
  }

  #setState(state: BackendState): void {
    if (this.#disposed) return;
    this.#state = state;
    this.#changed.fire(state);
  }
}

/** The folders that are on the disk of the machine on which the extension runs. */
export function localFolders(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(folder => folder.uri.scheme === 'file');
}

function untrusted(): ServerError {
  return new ServerError(
    'This folder is in Restricted Mode.',
    'Trust it first: Workspaces: Manage Workspace Trust.',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
