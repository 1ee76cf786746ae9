// The commands of the palette. Their ids differ from those of the backend's commands (sketch.start, sketch.ports, …),
// which the language client registers by itself while the backend runs; these here work without it, and start it.

import { realpath } from 'node:fs/promises';
import * as vscode from 'vscode';
import { type Backend, localFolders } from './backend';
import { userError } from './errors';
import { showError } from './messages';
import { currentSession, forwardedPorts, type SessionPort, sessionOfFolder } from './model';
import type { Opener } from './opener';
import { type Action, pickAction, pickFolder, pickPort, showPorts } from './pickers';
import { countPorts, type PortChoice } from './ports';
import type { ProgressNotifications } from './progress';
import type { CommandMap, CommandName } from './protocol';
import { statusReport } from './report';
import { ServerError } from './server';
import type { WindowModel } from './window';

export interface CommandContext {
  readonly backend: Backend;
  readonly window: WindowModel;
  readonly opener: Opener;
  readonly progress: ProgressNotifications;
  readonly log: vscode.LogOutputChannel;
  readonly showDocument: (text: string) => Promise<void>;
  readonly version: string;
}

type Command = (context: CommandContext) => unknown;

export const commands: Record<string, Command> = {
  'sketch.startSession': startSession,
  'sketch.stopSession': stopSession,
  'sketch.showPorts': listPorts,
  'sketch.openPortInBrowser': openPort,
  'sketch.copySshCommand': copySSH,
  'sketch.showActions': showActions,
  'sketch.showStatus': showStatus,
  'sketch.showLog': ({ log }) => log.show(),
  'sketch.restartBackend': ({ backend }) => backend.restart(),
};

/** Runs a command; what it throws is shown once. */
export async function run(command: Command, context: CommandContext): Promise<void> {
  try {
    await command(context);
  } catch (error) {
    void showError(error, context.log, () => run(command, context));
  }
}

export async function startSession({ backend }: CommandContext): Promise<void> {
  if (localFolders().length === 0) throw noFolder();
  const folder = await pickFolder();
  if (folder === undefined) return;
  await backend.execute('sketch.start', { folder: folder.uri.fsPath });
}

/**
 * Attaches to the sessions that this window's folders have already, and starts one where the user wants that. What fails
 * is only logged where nobody asked for it.
 */
export async function resume(context: CommandContext, autoStart: boolean): Promise<void> {
  const { backend, log, progress } = context;
  for (const folder of localFolders()) {
    try {
      const { sessions } = await backend.execute('sketch.sessions');
      const session = sessionOfFolder(sessions, await realpath(folder.uri.fsPath));
      if (session !== undefined) {
        log.info(`attaching to ${session.name} of ${session.folder}`);
        await progress.quietly(() => backend.execute('sketch.start', { folder: session.folder }));
      } else if (autoStart) {
        await backend.execute('sketch.start', { folder: folder.uri.fsPath });
      }
    } catch (error) {
      const kind = userError(error)?.kind ?? '';
      if (autoStart && !noRepository.includes(kind)) void showError(error, log);
      else log.info(`no session for ${folder.uri.fsPath}:`, error);
    }
  }
}

/** Kinds of errors that only mean that a folder is none for a session. */
const noRepository = ['notRepository', 'noCommit'];

function noFolder(): ServerError {
  if ((vscode.workspace.workspaceFolders ?? []).length === 0) {
    return new ServerError('No folder is open.', 'Open the folder of a git repository first.');
  }
  return new ServerError(
    'The folder of this window is on another machine.',
    'Install the Sketch extension there, next to its Docker engine.',
  );
}

async function stopSession(context: CommandContext): Promise<void> {
  const { backend, window } = context;
  const session = currentSession(window.value);
  if (session === undefined) return await offerStart(context);
  const answer = await vscode.window.showWarningMessage(
    `Stop the session ${session.name}?`,
    { modal: true, detail: 'Its container is removed, with whatever in it was not brought out as a branch.' },
    'Stop Session',
  );
  if (answer !== 'Stop Session') return;
  await window.ending(session.name, () => backend.execute('sketch.stop', { session: session.name }));
}

async function listPorts(context: CommandContext): Promise<void> {
  if (currentSession(context.window.value) === undefined) return await offerStart(context);
  const ports = { ports: context.window.ports, onDidChange: context.window.onDidChange };
  if (ports.ports().length === 0) {
    void vscode.window.showInformationMessage('No ports are open in the session.');
    return;
  }
  showPorts(ports, (choice, target) => void run(() => actOnPort(context, choice, target), context));
}

async function actOnPort(context: CommandContext, choice: PortChoice, target: SessionPort): Promise<void> {
  const { backend, opener } = context;
  const argument = { session: target.session, port: target.port.number };
  const url = target.port.url ?? '';
  switch (choice) {
    case 'open':
      // By way of the backend: it knows whether the port is still there, and says so.
      await backend.execute('sketch.openPort', argument);
      return;
    case 'preview':
      await opener.preview(url);
      return;
    case 'copy':
      return await opener.copy(url);
    case 'stop':
      await backend.execute('sketch.unforward', argument);
      return;
    case 'forward':
      await backend.execute('sketch.forward', argument);
      return;
  }
}

async function openPort(context: CommandContext): Promise<void> {
  if (currentSession(context.window.value) === undefined) return await offerStart(context);
  const ports = forwardedPorts(context.window.value);
  if (ports.length === 0) {
    void vscode.window.showInformationMessage('No port is forwarded.');
    return;
  }
  const target = await pickPort(ports, 'Port to open in the browser');
  if (target !== undefined) await actOnPort(context, 'open', target);
}

async function copySSH(context: CommandContext): Promise<void> {
  const session = currentSession(context.window.value);
  if (session === undefined) return await offerStart(context);
  const { command } = await context.backend.execute('sketch.ssh', { session: session.name });
  await context.opener.copy(command);
  void vscode.window.showInformationMessage(`Copied: ${command}`);
}

async function offerStart(context: CommandContext): Promise<void> {
  const answer = await vscode.window.showInformationMessage('No session is running here.', 'Start Session');
  if (answer === 'Start Session') await startSession(context);
}

async function showActions({ backend, window }: CommandContext): Promise<void> {
  const session = currentSession(window.value);
  const start: Action = { icon: 'play', title: 'Start Session', command: 'sketch.startSession' };
  const open = forwardedPorts(window.value).length;
  const ofSession: Action[] = [
    {
      icon: 'radio-tower',
      title: 'Show Ports',
      detail: countPorts(window.ports().length),
      command: 'sketch.showPorts',
    },
    ...(open === 0
      ? []
      : [{ icon: 'globe', title: 'Open Port in Browser', command: 'sketch.openPortInBrowser' }]),
    { icon: 'terminal', title: 'Copy SSH Command', command: 'sketch.copySshCommand' },
    { icon: 'debug-stop', title: 'Stop Session', command: 'sketch.stopSession' },
  ];
  await pickAction(session === undefined ? 'Sketch' : `Sketch: ${session.name}`, [
    ...(session === undefined ? [start] : ofSession),
    ...(session?.state === 'gone' || session?.state === 'stopped' ? [start] : []),
    { icon: 'info', title: 'Show Status', detail: backend.state.kind, command: 'sketch.showStatus' },
    { icon: 'output', title: 'Show Log', command: 'sketch.showLog' },
    { icon: 'debug-restart', title: 'Restart Backend', command: 'sketch.restartBackend' },
  ]);
}

async function showStatus(context: CommandContext): Promise<void> {
  const { backend, window, log } = context;
  const unanswered = (error: unknown): undefined => {
    log.warn('status:', error);
    return undefined;
  };
  const [status, doctor] = await Promise.all([
    backend.execute('sketch.status').catch(unanswered),
    backend.execute('sketch.doctor').catch(unanswered),
  ]);
  const state = backend.state;
  const versions = {
    extension: context.version,
    editor: `${vscode.env.appName} ${vscode.version}`,
    platform: `${process.platform}-${process.arch}`,
    ...(state.kind === 'running' && { backend: state.version }),
    ...(backend.server !== undefined && { server: backend.server }),
  };
  const stateText = state.kind === 'failed' ? `failed: ${state.reason}` : state.kind;
  await context.showDocument(
    statusReport({ versions, state: stateText, model: window.value, status, doctor }),
  );
}

/** Commands of the backend that mean nothing without a port; a key binding may come without. */
const wantsPort: CommandName[] = ['sketch.openPort', 'sketch.unforward', 'sketch.forward'];

/** A command of the backend that was run by its own id: a key binding, another extension, a code action. */
export async function runBackendCommand(
  context: CommandContext,
  name: CommandName,
  args: unknown[],
): Promise<unknown> {
  try {
    // What others pass is not ours to check: the backend is lenient, and refuses with a sentence.
    const given = args[0] as CommandMap[typeof name]['params'];
    if (given !== undefined || !wantsPort.includes(name)) return await context.backend.execute(name, given);
    const target = await pickPort(context.window.ports(), 'Choose a port');
    if (target === undefined) return undefined;
    return await context.backend.execute(name, { session: target.session, port: target.port.number });
  } catch (error) {
    void showError(error, context.log);
    return undefined;
  }
}
