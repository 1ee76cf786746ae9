// The Sessions view: all sessions of this machine, those of this window first.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import type { Session } from '../protocol';
import type { WindowModel } from '../window';
import { sessionRow } from './rows';
import { ListProvider, treeItem } from './tree';

/** A row of the Sessions view, as its commands get it. */
export interface SessionNode {
  readonly session: Session;
}

/** Ages are shown in minutes. */
const agingMs = 60_000;

export class SessionsView extends ListProvider<SessionNode> {
  readonly #backend: Backend;
  readonly #window: WindowModel;
  readonly #view: vscode.TreeView<SessionNode>;
  readonly #aging: NodeJS.Timeout;
  readonly #following: vscode.Disposable;
  #elsewhere: readonly Session[] = [];
  #names = '';

  constructor(backend: Backend, window: WindowModel) {
    super();
    this.#backend = backend;
    this.#window = window;
    this.#view = vscode.window.createTreeView('sketch.sessions', { treeDataProvider: this });
    this.#aging = setInterval(() => this.#view.visible && void this.reload(), agingMs);
    this.#following = vscode.Disposable.from(
      window.onDidChange(() => this.#windowChanged()),
      backend.onDidChangeState(() => void this.reload()),
      this.#view.onDidChangeVisibility(({ visible }) => visible && void this.reload()),
    );
  }

  /** Asks the backend for the machine's sessions; without a running backend there are none to show. */
  async reload(): Promise<void> {
    const running = this.#backend.state.kind === 'running';
    const answer = running
      ? await this.#backend.execute('sketch.sessions').catch(() => undefined)
      : undefined;
    this.#elsewhere = answer?.sessions ?? (running ? this.#elsewhere : []);
    this.refresh();
  }

  rows(): SessionNode[] {
    const here = this.#window.value.sessions;
    const others = this.#elsewhere.filter(session => !here.has(session.name));
    return [...[...here.values()].reverse(), ...others].map(session => ({ session }));
  }

  getTreeItem({ session }: SessionNode): vscode.TreeItem {
    const { sessions, branches, agents } = this.#window.value;
    const facts = {
      session,
      branch: branches.get(session.name),
      agent: agents.get(session.name),
      here: sessions.has(session.name),
    };
    const item = treeItem(sessionRow(facts, Date.now()));
    item.id = session.name;
    return item;
  }

  override dispose(): void {
    clearInterval(this.#aging);
    this.#following.dispose();
    this.#view.dispose();
    super.dispose();
  }

  /** Sessions that came or went are asked for; all else is known. */
  #windowChanged(): void {
    const names = [...this.#window.value.sessions.keys()].join();
    void vscode.commands.executeCommand('setContext', 'sketch.hasSession', names !== '');
    if (names !== this.#names) void this.reload();
    else this.refresh();
    this.#names = names;
  }
}
