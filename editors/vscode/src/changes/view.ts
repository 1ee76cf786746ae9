// The Changes view: the files that differ between the base and the session's branch.

import * as vscode from 'vscode';
import type { DiffFile } from '../protocol';
import { ListProvider } from '../views/tree';
import { count } from '../words';
import { fileUri } from './documents';
import { diffEnds, fileDescription, parseAddress, type StatusMark, statusMarks } from './files';
import type { ChangesStore } from './store';

/** A row of the Changes view, as its commands get it. */
export interface FileNode {
  readonly file: DiffFile;
}

class ChangesProvider extends ListProvider<FileNode> implements vscode.FileDecorationProvider {
  readonly #store: ChangesStore;
  readonly #decorated = new vscode.EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.#decorated.event;

  constructor(store: ChangesStore) {
    super();
    this.#store = store;
  }

  rows(): FileNode[] {
    return (this.#store.diff?.files ?? []).map(file => ({ file }));
  }

  getTreeItem({ file }: FileNode): vscode.TreeItem {
    const mark = statusMarks[file.status];
    const session = this.#store.diff?.session ?? '';
    const uri = fileUri(diffEnds(session, file, this.#store.uncommitted).right);
    const item = new vscode.TreeItem(uri, vscode.TreeItemCollapsibleState.None);
    item.id = file.path;
    item.iconPath = vscode.ThemeIcon.File; // the file icon theme's own, by the name
    item.description = fileDescription(file);
    item.tooltip = `${file.path} · ${mark.word}`;
    item.contextValue = 'file';
    item.accessibilityInformation = { label: `${file.path}, ${mark.word}, ${fileDescription(file)}` };
    item.command = { command: 'sketch.openChange', title: 'Open Changes', arguments: [{ file }] };
    return item;
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const mark = this.#mark(uri);
    return mark && new vscode.FileDecoration(mark.letter, mark.word, new vscode.ThemeColor(mark.color));
  }

  override refresh(): void {
    super.refresh();
    this.#decorated.fire(undefined);
  }

  override dispose(): void {
    this.#decorated.dispose();
    super.dispose();
  }

  #mark(uri: vscode.Uri): StatusMark | undefined {
    const address = parseAddress(uri);
    const file = this.#store.diff?.files.find(candidate => candidate.path === address?.path);
    return file && statusMarks[file.status];
  }
}

export function createChangesView(store: ChangesStore): vscode.Disposable {
  const provider = new ChangesProvider(store);
  const view = vscode.window.createTreeView('sketch.changes', {
    treeDataProvider: provider,
    showCollapseAll: false,
  });
  const refresh = (): void => {
    provider.refresh();
    describe(view, store);
  };
  describe(view, store);
  return vscode.Disposable.from(
    provider,
    view,
    vscode.window.registerFileDecorationProvider(provider),
    store.onDidChange(refresh),
  );
}

function describe(view: vscode.TreeView<FileNode>, store: ChangesStore): void {
  const { branch, diff, uncommitted } = store;
  const files = diff?.files.length ?? 0;
  view.description = branch?.exists ? `${branch.name} · ${count(branch.ahead, 'commit')}` : '';
  view.badge = files === 0 ? undefined : { value: files, tooltip: count(files, 'changed file') };
  view.message = about(store) ?? ''; // an empty one is not shown
  const set = (key: string, value: boolean): void =>
    void vscode.commands.executeCommand('setContext', key, value);
  set('sketch.hasBranch', branch?.exists === true);
  set('sketch.uncommitted', uncommitted);
}

/** What is to be said about the changes, where there is something. */
function about({ branch, diff, failure }: ChangesStore): string | undefined {
  if (branch?.error !== undefined)
    return [branch.error.message, branch.error.hint].filter(Boolean).join('. ');
  if (failure !== '') return failure;
  if (diff?.truncated) return 'There are more files than can be shown.';
  return diff !== undefined && diff.files.length === 0 ? 'Nothing differs from the base.' : undefined;
}
