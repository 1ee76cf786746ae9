// What the commands work with, and how they find out which session and port are meant.

import * as vscode from 'vscode';
import { type Backend, localFolders } from '../backend';
import type { ReviewComments } from '../changes/comments';
import type { ChangesStore } from '../changes/store';
import type { ChatStore } from '../chat/store';
import type { ChatView } from '../chat/view';
import type { Keys } from '../keys';
import { currentSession, type SessionPort } from '../model';
import type { Opener } from '../opener';
import type { ProgressNotifications } from '../progress';
import type { Session } from '../protocol';
import { ServerError } from '../server';
import type { SilentPorts } from '../silence';
import type { SketchTerminals } from '../terminal';
import type { SessionsView } from '../views/sessions';
import type { WindowModel } from '../window';

export interface CommandContext {
  readonly backend: Backend;
  readonly window: WindowModel;
  readonly opener: Opener;
  readonly progress: ProgressNotifications;
  readonly log: vscode.LogOutputChannel;
  readonly changes: ChangesStore;
  readonly comments: ReviewComments;
  readonly chat: ChatView;
  readonly chatStore: ChatStore;
  readonly keys: Keys;
  readonly silent: SilentPorts;
  readonly terminals: SketchTerminals;
  readonly sessions: SessionsView;
  readonly showDocument: (text: string) => Promise<void>;
  /** Where the editor keeps this extension's logs. */
  readonly logDirectory: vscode.Uri;
  readonly version: string;
  /** Of all settings, without "sketch.". */
  readonly settingNames: readonly string[];
}

/** A command; the arguments come from menus, links and key bindings. */
export type Command = (context: CommandContext, ...args: unknown[]) => unknown;

/** The session of a row of the Sessions view, else the one of this window; undefined where there is none. */
export function sessionOf({ window }: CommandContext, argument: unknown): Session | undefined {
  const named = (argument as { session?: unknown } | undefined)?.session;
  if (typeof named === 'object' && named !== null && 'name' in named) return named as Session;
  return currentSession(window.value);
}

/** The port of a row of the Ports view, as it stands now. */
export function portOf({ window }: CommandContext, argument: unknown): SessionPort | undefined {
  const { session, port } = (argument ?? {}) as Partial<SessionPort>;
  return window.ports().find(known => known.session === session && known.port.number === port?.number);
}

/** The session that is needed for what was asked. */
export async function needSession(context: CommandContext, argument?: unknown): Promise<Session | undefined> {
  const session = sessionOf(context, argument);
  if (session !== undefined) return session;
  const answer = await vscode.window.showInformationMessage('No session is running here.', 'Start Session');
  if (answer === 'Start Session') await vscode.commands.executeCommand('sketch.startSession');
  return undefined;
}

export function noFolder(): ServerError {
  if ((vscode.workspace.workspaceFolders ?? []).length === 0) {
    return new ServerError('No folder is open.', 'Open the folder of a git repository first.');
  }
  return new ServerError(
    'The folder of this window is on another machine.',
    'Install the Sketch extension there, next to its Docker engine.',
  );
}

export { localFolders };
