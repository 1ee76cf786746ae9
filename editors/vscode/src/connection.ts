// One backend process and the language client that speaks with it. A connection is never restarted: when it ends, another
// one is made.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LogOutputChannel } from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  type ShowMessageParams,
  type ShowMessageRequestParams,
  State,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { parseLogLine } from './log';
import type { ProgressValue } from './progress';
import {
  type AgentStatus,
  type Branch,
  Command,
  type CommandMap,
  type CommandName,
  type FocusParams,
  type MessageNotification,
  Notification,
  type PortEventNotification,
  type PortsNotification,
  type Session,
  type SketchClient,
  type ToastAction,
} from './protocol';
import { type Server, ServerError } from './server';

/** What the backend tells. */
export interface Listener {
  session(session: Session): void;
  ports(ports: PortsNotification): void;
  portEvent(event: PortEventNotification): void;
  branch(branch: Branch): void;
  agent(status: AgentStatus): void;
  message(message: MessageNotification): void;
  toast(params: ShowMessageRequestParams): Promise<ToastAction | null>;
  /** A message without buttons that are the backend's. */
  tell(params: ShowMessageParams): void;
  openExternal(url: string): Promise<boolean>;
  progress(token: string | number, value: ProgressValue, cancel: () => void): void;
  /** A command of the backend was run by a key binding or another extension. */
  command(name: CommandName, args: unknown[]): Promise<unknown>;
  /** The process ended or the protocol broke, unasked. Called once. */
  crashed(reason: string): void;
}

export interface ConnectionOptions {
  readonly server: Server;
  readonly directory: string | undefined;
  readonly settings: () => unknown;
  readonly capabilities: SketchClient;
  readonly log: LogOutputChannel;
  readonly listener: Listener;
}

/** A backend that has not answered `initialize` by then never will. */
const startTimeoutMs = 20_000;
/** VS Code gives deactivate() about five seconds: two for a clean end, one for each signal. */
const stopTimeoutMs = 2000;
const killAfterMs = 1000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: QuietClient;
  #child: ChildProcessWithoutNullStreams | undefined;
  #lastLine = '';

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#client = new QuietClient('sketch', 'Sketch', () => this.#spawn(), this.#clientOptions());
    this.#client.registerFeature(experimentalFeature(options.capabilities));
    this.#subscribe(options.listener);
  }

  /**
   * Starts the process and initializes the protocol.
   *
   * @throws ServerError
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    try {
      await within(startTimeoutMs, connection.#client.start());
      return connection;
    } catch (error) {
      await connection.#kill();
      const reason = connection.#lastLine || (error instanceof Error ? error.message : String(error));
      throw new ServerError(
        `The sketch-ide backend did not start: ${reason}.`,
        'The Sketch log has the details.',
      );
    }
  }

  /** Runs a command of the backend; it rejects with the backend's error. */
  async execute<C extends CommandName>(
    command: C,
    argument: CommandMap[C]['params'],
  ): Promise<CommandMap[C]['result']> {
    const params = { command, arguments: argument === undefined ? [] : [argument] };
    return await this.#client.sendRequest<CommandMap[C]['result']>('workspace/executeCommand', params);
  }

  /** Sends the settings anew. */
  async configure(): Promise<void> {
    const settings = { sketch: this.#options.settings() };
    await this.#client.sendNotification('workspace/didChangeConfiguration', { settings });
  }

  /** Says whether the window has the focus: while it has, the agent needs no toast. */
  async focus(focused: boolean): Promise<void> {
    await this.#client.sendNotification('$/sketch/focus', { focused } satisfies FocusParams);
  }

  /** Ends the process: asked by the protocol first, then by signals. */
  async close(): Promise<void> {
    try {
      await this.#client.dispose(stopTimeoutMs);
    } catch (error) {
      this.#options.log.debug('stopping the backend:', error);
    }
    await this.#kill();
  }

  #spawn(): Promise<ChildProcessWithoutNullStreams> {
    const { server, directory } = this.#options;
    const child = spawn(server.path, ['serve', '--stdio'], { cwd: directory, windowsHide: true });
    this.#child = child;
    createInterface({ input: child.stderr, crlfDelay: Number.POSITIVE_INFINITY }).on('line', line =>
      this.#stderr(line),
    );
    child.once('exit', (code, signal) => {
      this.#options.log.info(`backend ${child.pid} ended with ${signal ?? `code ${code}`}`);
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        this.#options.log.info(`backend ${child.pid} started: ${server.path}`);
        resolve(child);
      });
    });
  }

  #stderr(line: string): void {
    if (line.trim() === '') return;
    const { level, text } = parseLogLine(line);
    this.#lastLine = text;
    this.#options.log[level](text);
  }

  #clientOptions(): LanguageClientOptions {
    const { log, settings } = this.#options;
    return {
      documentSelector: [], // the backend has no business with documents
      outputChannel: log,
      traceOutputChannel: log,
      initializationOptions: settings,
      stdioOptions: { stdout: () => {}, stderr: () => {} }, // read by #spawn
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.#closed(),
      },
      middleware: this.#middleware(),
    };
  }

  #closed(): { action: CloseAction; handled: boolean } {
    // While it starts, open() reports the failure.
    if (this.#client.state === State.Running) {
      const reason = this.#lastLine || 'it ended';
      void this.#kill().then(() => this.#options.listener.crashed(reason));
    }
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  #middleware(): Middleware {
    const { listener } = this.#options;
    return {
      executeCommand: (command, args) => listener.command(command as CommandName, args),
      handleWorkDoneProgress: (token, value) => {
        const cancel = (): void =>
          void this.#client.sendNotification('window/workDoneProgress/cancel', { token });
        listener.progress(token, value, cancel);
      },
      window: {
        showDocument: async (params, token, next) => {
          if (params.external !== true) return await next(params, token);
          return { success: await listener.openExternal(params.uri) };
        },
      },
    };
  }

  #subscribe(listener: Listener): void {
    this.#client.onNotification(Notification.session, (session: Session) => listener.session(session));
    this.#client.onNotification(Notification.ports, (ports: PortsNotification) => listener.ports(ports));
    this.#client.onNotification(Notification.portEvent, (event: PortEventNotification) =>
      listener.portEvent(event),
    );
    this.#client.onNotification(Notification.branch, (branch: Branch) => listener.branch(branch));
    this.#client.onNotification(Notification.agent, (status: AgentStatus) => listener.agent(status));
    this.#client.onNotification(Notification.message, (message: MessageNotification) =>
      listener.message(message),
    );
    // Registered handlers take the place of the language client's own.
    this.#client.onNotification('window/showMessage', (params: ShowMessageParams) => listener.tell(params));
    this.#client.onRequest('window/showMessageRequest', (params: ShowMessageRequestParams) =>
      listener.toast(params),
    );
  }

  /** Waits for the process to end by itself, then asks, then insists. */
  async #kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    for (const signal of [undefined, 'SIGTERM', 'SIGKILL'] as const) {
      if (signal !== undefined) child.kill(signal);
      if (await exitsWithin(child, killAfterMs)) return;
    }
  }
}

/** Errors are shown once, by the caller, in the words of errors.ts; the language client only logs them, and logs no key. */
class QuietClient extends LanguageClient {
  override trace(message: string, data?: unknown): void {
    super.trace(message, holdsKey(data) ? undefined : data);
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** The parameters of a request, as text, are those of the one that hands over a key. */
function holdsKey(data: unknown): boolean {
  return typeof data === 'string' && data.includes(Command.setKey);
}

function experimentalFeature(capabilities: SketchClient): StaticFeature {
  return {
    fillClientCapabilities: all => {
      all.experimental = { ...all.experimental, sketch: capabilities };
    },
    initialize: () => {},
    getState: () => ({ kind: 'static' }),
    clear: () => {},
  };
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function exitsWithin(child: ChildProcessWithoutNullStreams, milliseconds: number): Promise<boolean> {
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (ended()) return true;
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return ended();
}
