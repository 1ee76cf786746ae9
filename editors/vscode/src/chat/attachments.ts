// What the user attaches to the next prompt: selections and files of the repository.

import { relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { parseAddress } from '../changes/files';
import type { Session } from '../protocol';
import type { Attachment } from './exchange';
import { lastLine } from './references';

/** Longer selections are named by their lines; the agent reads them itself. */
const maxSelection = 64 * 1024;

/** The selection of the active editor, or its whole file; undefined where that is none of the repository's. */
export function selectedCode(
  editor: vscode.TextEditor | undefined,
  session: Session,
): Attachment | undefined {
  const path = editor && repositoryPath(editor.document.uri, session);
  if (editor === undefined || path === undefined) return undefined;
  const { selection, document } = editor;
  if (selection.isEmpty) return { path };
  const lines = lastLine(selection);
  const range = new vscode.Range(selection.start.line, 0, lines, document.lineAt(lines).text.length);
  const text = document.getText(range);
  return {
    path,
    startLine: selection.start.line + 1,
    endLine: lines + 1,
    ...(text.length <= maxSelection && { text }),
  };
}

/** The path of a document in the session's repository, with slashes; undefined for what is outside. */
export function repositoryPath(uri: vscode.Uri, session: Session): string | undefined {
  const shown = parseAddress(uri);
  if (shown !== undefined) return shown.session === session.name ? shown.path : undefined;
  if (uri.scheme !== 'file') return undefined;
  const path = relative(session.folder, uri.fsPath);
  return path === '' || path.startsWith('..') ? undefined : path.split(sep).join('/');
}

/** The files of the repository among what was dropped: from the Explorer, an editor's tab, or a file manager. */
export async function droppedFiles(uris: readonly string[], session: Session): Promise<Attachment[]> {
  const files = await Promise.all(
    uris.map(async text => {
      const uri = here(vscode.Uri.parse(text));
      const path = repositoryPath(uri, session);
      if (path === undefined) return [];
      return uri.scheme !== 'file' || (await isFile(uri)) ? [{ path }] : [];
    }),
  );
  return files.flat();
}

/** A window on another machine has addresses of its own for the files there, where this runs. */
function here(uri: vscode.Uri): vscode.Uri {
  return uri.scheme === 'vscode-remote' && vscode.env.remoteName !== undefined
    ? vscode.Uri.file(uri.path)
    : uri;
}

async function isFile(uri: vscode.Uri): Promise<boolean> {
  try {
    return ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.File) !== 0;
  } catch {
    return false;
  }
}

/** Asks for files of the repository. */
export async function pickFiles(session: Session): Promise<Attachment[]> {
  const uris = await vscode.workspace.findFiles('**/*', undefined, 5000);
  const paths = uris.flatMap(uri => repositoryPath(uri, session) ?? []).sort();
  const chosen = await vscode.window.showQuickPick(paths, {
    title: 'Attach Files',
    placeHolder: 'Files that the agent should look at',
    canPickMany: true,
  });
  return (chosen ?? []).map(path => ({ path }));
}
