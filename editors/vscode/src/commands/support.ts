// Commands for when one wants to know: actions of the status bar item, status, log, diagnostics, restart.

import * as vscode from 'vscode';
import { diagnosticsText } from '../diagnostics';
import { currentSession, forwardedPorts } from '../model';
import { type Action, pickAction } from '../pickers';
import { countPorts } from '../ports';
import { statusReport } from '../report';
import type { Command, CommandContext } from './context';

export const supportCommands: Record<string, Command> = {
  'sketch.showActions': showActions,
  'sketch.showStatus': async context => await context.showDocument(await report(context)),
  'sketch.showLog': ({ log }) => log.show(),
  'sketch.collectDiagnostics': collectDiagnostics,
  'sketch.restartBackend': ({ backend }) => backend.restart(),
};

async function showActions({ backend, window }: CommandContext): Promise<void> {
  const session = currentSession(window.value);
  const start: Action = { icon: 'play', title: 'Start Session', command: 'sketch.startSession' };
  const ended = session?.state === 'gone' || session?.state === 'stopped';
  await pickAction(session === undefined ? 'Sketch' : `Sketch: ${session.name}`, [
    ...(session === undefined ? [start] : sessionActions(window)),
    ...(ended ? [start] : []),
    { icon: 'info', title: 'Show Status', detail: backend.state.kind, command: 'sketch.showStatus' },
    { icon: 'output', title: 'Show Log', command: 'sketch.showLog' },
    { icon: 'debug-restart', title: 'Restart Backend', command: 'sketch.restartBackend' },
  ]);
}

function sessionActions(window: CommandContext['window']): Action[] {
  const open = forwardedPorts(window.value).length;
  const branch = [...window.value.branches.values()].some(known => known.exists);
  return [
    { icon: 'comment-discussion', title: 'Open Chat', command: 'sketch.openChat' },
    {
      icon: 'radio-tower',
      title: 'Show Ports',
      detail: countPorts(window.ports().length),
      command: 'sketch.showPorts',
    },
    ...(open === 0
      ? []
      : [{ icon: 'globe', title: 'Open Port in Browser', command: 'sketch.openPortInBrowser' }]),
    ...(branch ? [{ icon: 'git-merge', title: 'Take Over Changes', command: 'sketch.takeOver' }] : []),
    { icon: 'terminal', title: 'Open Terminal', command: 'sketch.openTerminal' },
    { icon: 'remote', title: 'Open in Remote - SSH', command: 'sketch.openRemoteWindow' },
    { icon: 'copy', title: 'Copy SSH Command', command: 'sketch.copySshCommand' },
    { icon: 'debug-stop', title: 'Stop Session', command: 'sketch.stopSession' },
  ];
}

async function report(context: CommandContext): Promise<string> {
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
  return statusReport({ versions, state: stateText, model: window.value, status, doctor });
}

/** Opens everything that a report of a fault needs as a document that can be read, saved and sent. */
async function collectDiagnostics(context: CommandContext): Promise<void> {
  const { backend, window } = context;
  const session = currentSession(window.value);
  const agentLog =
    session && (await backend.execute('sketch.logs', { session: session.name }).catch(() => undefined));
  const content = diagnosticsText({
    report: await report(context),
    settings: ownSettings(context.settingNames),
    log: await readLog(context.logDirectory),
    agentLog: agentLog?.lines,
  });
  await vscode.window.showTextDocument(
    await vscode.workspace.openTextDocument({ language: 'markdown', content }),
  );
}

/** What the user set, not what is there by default. */
function ownSettings(names: readonly string[]): Record<string, unknown> {
  const setting = vscode.workspace.getConfiguration('sketch');
  const entries = names.flatMap(name => {
    const { globalValue, workspaceValue, workspaceFolderValue } = setting.inspect(name) ?? {};
    const value = workspaceFolderValue ?? workspaceValue ?? globalValue;
    return value === undefined ? [] : [[`sketch.${name}`, value] as const];
  });
  return Object.fromEntries(entries);
}

async function readLog(directory: vscode.Uri): Promise<string> {
  try {
    const file = vscode.Uri.joinPath(directory, 'Sketch.log');
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  } catch {
    return '';
  }
}
