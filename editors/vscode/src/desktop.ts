// The editor's side of the opener.

import * as vscode from 'vscode';
import type { Desktop } from './opener';

export function editorDesktop(log: vscode.LogOutputChannel): Desktop {
  return {
    // In a remote window VS Code makes a tunnel of its own for localhost URLs here.
    openExternal: url => vscode.env.openExternal(vscode.Uri.parse(url, true)),
    openPreview: url => openPreview(url, log),
    copy: text => vscode.env.clipboard.writeText(text),
    openFolder: uri =>
      vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.parse(uri, true), {
        forceNewWindow: true,
      }),
    log: line => log.info(line),
  };
}

/** The built-in browsers, newest first. getCommands() does not list them all, so each is simply tried. */
const previews: ((url: vscode.Uri) => [command: string, ...args: unknown[]])[] = [
  url => ['workbench.action.browser.open', url.toString(true)],
  url => ['simpleBrowser.api.open', url, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true }],
];

async function openPreview(url: string, log: vscode.LogOutputChannel): Promise<boolean> {
  const target = await vscode.env.asExternalUri(vscode.Uri.parse(url, true));
  for (const preview of previews) {
    const [command, ...args] = preview(target);
    try {
      await vscode.commands.executeCommand(command, ...args);
      return true;
    } catch (error) {
      log.debug(`no preview by ${command}:`, error);
    }
  }
  return false;
}
