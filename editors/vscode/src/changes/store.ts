// What the current session has changed, asked for anew when its branch moves.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import { userError } from '../errors';
import { currentSession } from '../model';
import type { Branch, DiffResult, OtherBranch } from '../protocol';
import { coalesce } from '../restart';
import type { WindowModel } from '../window';
import type { Work } from './files';

export class ChangesStore implements vscode.Disposable {
  readonly #backend: Backend;
  readonly #window: WindowModel;
  readonly #log: vscode.LogOutputChannel;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #following: vscode.Disposable;
  readonly #others = new Map<string, Work>();
  #diff: DiffResult | undefined;
  #failure = '';
  #uncommitted = false;
  #seen = '';

  readonly onDidChange = this.#changed.event;
  /** Asks for the changes anew; calls while one is asked share one more. */
  readonly reload: () => Promise<void>;

  constructor(backend: Backend, window: WindowModel, log: vscode.LogOutputChannel) {
    this.#backend = backend;
    this.#window = window;
    this.#log = log;
    this.reload = coalesce(() => this.#load());
    this.#following = window.onDidChange(() => this.#windowChanged());
  }

  get branch(): Branch | undefined {
    const session = currentSession(this.#window.value);
    return session && this.#window.value.branches.get(session.name);
  }

  get diff(): DiffResult | undefined {
    return this.#diff;
  }

  /** The session's own work, or what is inside. */
  get work(): Work | undefined {
    return this.#diff && { diff: this.#diff, uncommitted: this.#uncommitted };
  }

  /** What another branch of the session has changed; asked once for each of its commits. */
  async workOf({ name, commit }: OtherBranch): Promise<Work | undefined> {
    const session = currentSession(this.#window.value);
    if (session === undefined || name === undefined) return undefined;
    const known = this.#others.get(name);
    if (known?.diff.session === session.name && known.diff.head === commit) return known;
    const argument = { session: session.name, branch: name, context: -1 };
    const work = {
      diff: await this.#backend.execute('sketch.diff', argument),
      uncommitted: false,
      branch: name,
    };
    this.#others.set(name, work);
    return work;
  }

  /** The work that a document shows a file of, as far as it was asked for. */
  shown(branch: string | undefined): Work | undefined {
    return branch === undefined ? this.work : this.#others.get(branch);
  }

  /** Why there is no diff, where that is worth a word. */
  get failure(): string {
    return this.#failure;
  }

  /** The right side is what is inside now, rather than what was committed. */
  get uncommitted(): boolean {
    return this.#uncommitted;
  }

  async showUncommitted(uncommitted: boolean): Promise<void> {
    this.#uncommitted = uncommitted;
    await this.reload();
  }

  dispose(): void {
    this.#following.dispose();
    this.#changed.dispose();
  }

  #windowChanged(): void {
    const session = currentSession(this.#window.value);
    const agent = session && this.#window.value.agents.get(session.name);
    // Files change while tools run; they are looked at when a turn is over.
    const turn = this.#uncommitted ? `${agent?.turn}:${agent?.outcome}` : '';
    const seen = [session?.name, session?.state, JSON.stringify(this.branch), turn].join('\n');
    if (seen === this.#seen) return;
    this.#seen = seen;
    void this.reload();
  }

  async #load(): Promise<void> {
    const session = currentSession(this.#window.value);
    this.#failure = '';
    if (session === undefined || (!this.#uncommitted && this.branch?.exists !== true)) {
      this.#diff = undefined;
    } else {
      try {
        const argument = { session: session.name, uncommitted: this.#uncommitted, context: -1 };
        this.#diff = await this.#backend.execute('sketch.diff', argument);
      } catch (error) {
        this.#diff = undefined;
        this.#failure = userError(error)?.message ?? '';
        this.#log.warn('changes:', error);
      }
    }
    this.#changed.fire();
  }
}
