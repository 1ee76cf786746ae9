// Opening a session's folder in a window of its own, by Remote - SSH.

import * as vscode from 'vscode';
import type { Backend } from './backend';
import type { Opener } from './opener';
import type { Session } from './protocol';

/** Extensions that open `ssh-remote+…` windows, of VS Code and its kin. */
const remoteExtensions = [
  'ms-vscode-remote.remote-ssh',
  'jeanp413.open-remote-ssh',
  'anysphere.remote-ssh',
  'codeium.windsurf-remote-openssh',
  'google.antigravity-remote-openssh',
];

export interface RemoteContext {
  readonly backend: Backend;
  readonly opener: Opener;
}

export async function openRemote({ backend, opener }: RemoteContext, session: Session): Promise<void> {
  const remote = await backend.execute('sketch.openRemote', { session: session.name });
  if (!remoteExtensions.some(id => vscode.extensions.getExtension(id) !== undefined)) {
    return await offerOthers(opener, `ssh ${remote.host}`);
  }
  if (!remote.included && !(await include(backend))) return;
  if (remote.note) void vscode.window.showInformationMessage(remote.note);
  await opener.openFolder(remote.uri);
}

/** Remote - SSH reads the user's own SSH configuration, which is changed only with consent. */
async function include(backend: Backend): Promise<boolean> {
  const { installed, file, line } = await backend.execute('sketch.sshConfig', { action: 'status' });
  if (installed) return true;
  const add = 'Add the Line';
  const answer = await vscode.window.showInformationMessage(
    `Remote - SSH needs one line in ${file}.`,
    { modal: true, detail: `${line}\n\nIt makes "ssh sketch-…" work in every terminal, too.` },
    add,
  );
  if (answer !== add) return false;
  return (await backend.execute('sketch.sshConfig', { action: 'install' })).installed;
}

async function offerOthers(opener: Opener, command: string): Promise<void> {
  const install = 'Install Remote - SSH';
  const copy = 'Copy SSH Command';
  const answer = await vscode.window.showInformationMessage(
    'A window inside the session needs the extension Remote - SSH.',
    install,
    copy,
  );
  if (answer === install) await vscode.commands.executeCommand('workbench.extensions.search', 'remote-ssh');
  if (answer === copy) await opener.copy(command);
}
