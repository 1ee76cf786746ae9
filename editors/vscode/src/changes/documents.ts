// Versions of files as read-only documents, which the diff editor shows side by side.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import type { DiffFile } from '../protocol';
import {
  addressParts,
  diffEnds,
  diffTitle,
  type FileAddress,
  fileScheme,
  parseAddress,
  placeholder,
  type Work,
} from './files';
import type { ChangesStore } from './store';

export class FileDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #backend: Backend;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #registrations: vscode.Disposable;

  readonly onDidChange = this.#changed.event;

  constructor(backend: Backend, store: ChangesStore) {
    this.#backend = backend;
    this.#registrations = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(fileScheme, this),
      store.onDidChange(() => this.#refresh()),
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const address = parseAddress(uri);
    if (address === undefined) return '';
    return placeholder(await this.#backend.execute('sketch.file', { ...address }));
  }

  dispose(): void {
    this.#registrations.dispose();
    this.#changed.dispose();
  }

  /** What is shown of the branch, or of inside, may be another text now. */
  #refresh(): void {
    for (const document of vscode.workspace.textDocuments) {
      const version = parseAddress(document.uri)?.version;
      if (version !== undefined && version !== 'base') this.#changed.fire(document.uri);
    }
  }
}

export function fileUri(address: FileAddress): vscode.Uri {
  return vscode.Uri.from(addressParts(address));
}

/** Opens the diff of one file. */
export async function openDiff({ branch }: ChangesStore, work: Work, file: DiffFile): Promise<void> {
  const { diff, uncommitted } = work;
  const { left, right } = diffEnds(work, file);
  const title = diffTitle(
    file,
    branch?.baseBranch ?? diff.base.slice(0, 7),
    uncommitted ? 'inside' : diff.branch,
  );
  await vscode.commands.executeCommand('vscode.diff', fileUri(left), fileUri(right), title, {
    preview: true,
  });
}

/** Opens all files in one editor. */
export async function openAllDiffs(work: Work | undefined): Promise<void> {
  if (work === undefined || work.diff.files.length === 0) return;
  const resources = work.diff.files.map(file => {
    const { left, right } = diffEnds(work, file);
    return [
      fileUri(right),
      file.status === 'added' ? undefined : fileUri(left),
      file.status === 'deleted' ? undefined : fileUri(right),
    ];
  });
  await vscode.commands.executeCommand('vscode.changes', `Changes of ${work.diff.branch}`, resources);
}
