// Commands of sessions: start, stop, enter, open elsewhere.

import { realpath } from 'node:fs/promises';
import * as vscode from 'vscode';
import { userError } from '../errors';
import { showError } from '../messages';
import { sessionOfFolder } from '../model';
import { pickFolder } from '../pickers';
import { openRemote } from '../remote';
import { type Command, type CommandContext, localFolders, needSession, noFolder } from './context';

export const sessionCommands: Record<string, Command> = {
  'sketch.startSession': startSession,
  'sketch.rebuildSession': context => startSession(context, { rebuild: true }),
  'sketch.stopSession': stopSession,
  'sketch.refreshSessions': ({ sessions }) => sessions.reload(),
  'sketch.openTerminal': async (context, argument) => {
    const session = await needSession(context, argument);
    if (session !== undefined) context.terminals.open(session);
  },
  'sketch.openRemoteWindow': async (context, argument) => {
    const session = await needSession(context, argument);
    if (session !== undefined) await openRemote(context, session);
  },
  'sketch.copySshCommand': copySSH,
  'sketch.openSessionFolder': async (context, argument) => {
    const session = await needSession(context, argument);
    if (session === undefined) return;
    const folder = vscode.Uri.file(session.folder);
    await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
  },
  'sketch.showAgentLog': showAgentLog,
};

async function startSession({ backend }: CommandContext, argument?: unknown): Promise<void> {
  if (localFolders().length === 0) throw noFolder();
  const folder = await pickFolder();
  if (folder === undefined) return;
  const rebuild = (argument as { rebuild?: boolean } | undefined)?.rebuild === true;
  await backend.execute('sketch.start', { folder: folder.uri.fsPath, ...(rebuild && { rebuild }) });
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

async function stopSession(context: CommandContext, argument: unknown): Promise<void> {
  const session = await needSession(context, argument);
  if (session === undefined) return;
  const answer = await vscode.window.showWarningMessage(
    `Stop the session ${session.name}?`,
    { modal: true, detail: 'Its container is removed, with whatever in it was not brought out as a branch.' },
    'Stop Session',
  );
  if (answer !== 'Stop Session') return;
  const { backend, window, sessions } = context;
  await window.ending(session.name, () => backend.execute('sketch.stop', { session: session.name }));
  await sessions.reload();
}

async function copySSH(context: CommandContext, argument: unknown): Promise<void> {
  const session = await needSession(context, argument);
  if (session === undefined) return;
  const { command } = await context.backend.execute('sketch.ssh', { session: session.name });
  await context.opener.copy(command);
  void vscode.window.showInformationMessage(`Copied: ${command}`);
}

async function showAgentLog(context: CommandContext, argument: unknown): Promise<void> {
  const session = await needSession(context, argument);
  if (session === undefined) return;
  const { lines } = await context.backend.execute('sketch.logs', { session: session.name, lines: 500 });
  const content = `${lines.join('\n')}\n`;
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'log', content }));
}
