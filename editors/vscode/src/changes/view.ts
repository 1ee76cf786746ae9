// The Changes view: the files that differ between the base and the session's branch, and the other branches that were made
// inside, each with its files below it.

import * as vscode from 'vscode';
import { userError } from '../errors';
import type { DiffFile, OtherBranch } from '../protocol';
import { ListProvider, treeItem } from '../views/tree';
import { count } from '../words';
import { fileUri } from './documents';
import { diffEnds, fileDescription, parseAddress, type StatusMark, statusMarks, type Work } from './files';
import { leftInside, otherRow } from './others';
import type { ChangesStore } from './store';

/** The row of a file, as its commands get it. */
export interface FileNode {
  readonly work: Work;
  readonly file: DiffFile;
}

/** The row of another branch, as its commands get it. */
export interface BranchNode {
  readonly other: OtherBranch;
}

/** A sentence where files would be. */
interface NoteNode {
  readonly note: string;
}

type Node = FileNode | BranchNode | NoteNode;

class ChangesProvider extends ListProvider<Node> implements vscode.FileDecorationProvider {
  readonly #store: ChangesStore;
  readonly #decorated = new vscode.EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.#decorated.event;

  constructor(store: ChangesStore) {
    super();
    this.#store = store;
  }

  rows(): Node[] {
    const { work, branch } = this.#store;
    return [...fileNodes(work), ...(branch?.others ?? []).map(other => ({ other }))];
  }

  override async getChildren(node?: Node): Promise<Node[]> {
    if (node === undefined) return this.rows();
    if (!('other' in node)) return [];
    try {
      const files = fileNodes(await this.#store.workOf(node.other));
      this.#decorated.fire(undefined);
      return files.length > 0 ? files : [{ note: unchanged }];
    } catch (error) {
      return [{ note: userError(error)?.message ?? 'Its changes cannot be shown.' }];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if ('note' in node) return new vscode.TreeItem(node.note);
    return 'other' in node ? branchItem(node) : fileItem(node);
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
    if (address === undefined) return undefined;
    const files = this.#store.shown(address.branch)?.diff.files;
    const file = files?.find(candidate => candidate.path === address.path);
    return file && statusMarks[file.status];
  }
}

function fileNodes(work: Work | undefined): FileNode[] {
  return work === undefined ? [] : work.diff.files.map(file => ({ work, file }));
}

function fileItem(node: FileNode): vscode.TreeItem {
  const { work, file } = node;
  const mark = statusMarks[file.status];
  const item = new vscode.TreeItem(fileUri(diffEnds(work, file).right), vscode.TreeItemCollapsibleState.None);
  item.id = `${work.branch ?? ''}:${file.path}`;
  item.iconPath = vscode.ThemeIcon.File; // the file icon theme's own, by the name
  item.description = fileDescription(file);
  item.tooltip = `${file.path} · ${mark.word}`;
  item.contextValue = 'file';
  item.accessibilityInformation = { label: `${file.path}, ${mark.word}, ${fileDescription(file)}` };
  item.command = { command: 'sketch.openChange', title: 'Open Changes', arguments: [node] };
  return item;
}

function branchItem({ other }: BranchNode): vscode.TreeItem {
  const { None, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = treeItem(otherRow(other), other.name === undefined ? None : Collapsed);
  item.id = `branch ${other.inside}`;
  return item;
}

export function createChangesView(store: ChangesStore): vscode.Disposable {
  const provider = new ChangesProvider(store);
  const view = vscode.window.createTreeView('sketch.changes', {
    treeDataProvider: provider,
    showCollapseAll: false, // there are few branches, and the title has enough buttons
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

function describe(view: vscode.TreeView<Node>, store: ChangesStore): void {
  const { branch, diff, uncommitted } = store;
  const files = diff?.files.length ?? 0;
  view.description = branch?.exists ? `${branch.name} · ${count(branch.ahead, 'commit')}` : '';
  view.badge = files === 0 ? undefined : { value: files, tooltip: count(files, 'changed file') };
  view.message = about(store).join(' '); // an empty one is not shown
  const set = (key: string, value: boolean): void =>
    void vscode.commands.executeCommand('setContext', key, value);
  set('sketch.hasBranch', branch?.exists === true);
  set('sketch.uncommitted', uncommitted);
}

const unchanged = 'Nothing differs from the base.';

/** What is to be said about the changes, where there is something. */
function about({ branch, diff, failure }: ChangesStore): string[] {
  const left = branch === undefined ? [] : leftInside(branch);
  if (branch?.error !== undefined) {
    return [[branch.error.message, branch.error.hint].filter(Boolean).join('. '), ...left];
  }
  if (failure !== '') return [failure, ...left];
  if (diff?.truncated) return ['There are more files than can be shown.', ...left];
  return diff !== undefined && diff.files.length === 0 ? [unchanged, ...left] : left;
}
