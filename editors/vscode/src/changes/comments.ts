// Comments on lines of the session's work. They are collected by the backend, and sent to the agent as one message.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import { currentSession } from '../model';
import type { Comment, CommentParams } from '../protocol';
import type { WindowModel } from '../window';
import { fileUri } from './documents';
import { type FileAddress, parseAddress, sideOf, versionOf } from './files';
import type { ChangesStore } from './store';
import {
  commentsWords,
  escapeMarkdown,
  groupComments,
  type ThreadKey,
  type ThreadRow,
  threadName,
} from './threads';

/** A comment as its commands get it. */
export class ShownComment implements vscode.Comment {
  readonly author = { name: 'You' };
  readonly contextValue = 'comment';
  mode = vscode.CommentMode.Preview;
  body: string | vscode.MarkdownString;

  constructor(
    readonly id: string,
    readonly text: string,
    readonly thread: vscode.CommentThread,
  ) {
    this.body = plain(text);
  }
}

export class ReviewComments implements vscode.Disposable {
  readonly #backend: Backend;
  readonly #window: WindowModel;
  readonly #store: ChangesStore;
  readonly #controller = vscode.comments.createCommentController('sketch', 'Sketch');
  readonly #threads = new Map<string, vscode.CommentThread>();
  readonly #following: vscode.Disposable;
  #comments: readonly Comment[] = [];
  #session = '';
  #uncommitted = false;

  constructor(backend: Backend, window: WindowModel, store: ChangesStore) {
    this.#backend = backend;
    this.#window = window;
    this.#store = store;
    this.#controller.options = {
      prompt: 'Comment for the agent',
      placeHolder: 'What should be different here?',
    };
    this.#controller.commentingRangeProvider = {
      provideCommentingRanges: document =>
        onOwnBranch(document.uri) && [new vscode.Range(0, 0, Math.max(document.lineCount - 1, 0), 0)],
    };
    this.#following = store.onDidChange(() => void this.#follow());
  }

  get pending(): readonly Comment[] {
    return this.#comments;
  }

  async add(reply: vscode.CommentReply): Promise<void> {
    const address = onOwnBranch(reply.thread.uri);
    const line = reply.thread.range.start.line + 1;
    if (address === undefined || reply.text.trim() === '') return;
    const key: ThreadKey = { path: address.path, side: sideOf(address.version), line };
    const name = threadName(key);
    if (!this.#threads.has(name)) this.#threads.set(name, reply.thread);
    await this.#request({ ...key, text: reply.text }, address.session);
    if (this.#threads.get(name) !== reply.thread) reply.thread.dispose();
  }

  edit(comment: ShownComment): void {
    comment.body = comment.text;
    this.#setMode(comment, vscode.CommentMode.Editing);
  }

  cancelEdit(comment: ShownComment): void {
    comment.body = plain(comment.text);
    this.#setMode(comment, vscode.CommentMode.Preview);
  }

  async save(comment: ShownComment): Promise<void> {
    const text = typeof comment.body === 'string' ? comment.body : comment.body.value;
    await this.#request({ id: comment.id, text });
  }

  async remove(comment: ShownComment): Promise<void> {
    await this.#request({ id: comment.id });
  }

  /** Sends all comments to the agent as one message. */
  async send(): Promise<void> {
    if (this.#comments.length === 0) {
      void vscode.window.showInformationMessage('There are no comments to send.');
      return;
    }
    const words = commentsWords(this.#comments);
    await this.#request({ send: true });
    void vscode.window.showInformationMessage(`Sent ${words} to the agent.`);
  }

  dispose(): void {
    this.#following.dispose();
    this.#controller.dispose();
  }

  /** The comments of another session, or on another version of its files. */
  async #follow(): Promise<void> {
    const session = currentSession(this.#window.value);
    const name = session?.state === 'connected' ? session.name : '';
    const moved = name !== this.#session || this.#store.uncommitted !== this.#uncommitted;
    if (!moved) return;
    this.#session = name;
    this.#uncommitted = this.#store.uncommitted;
    this.#clear();
    if (name === '') return this.#show([]);
    // Without a word: nobody asked, and a session without comments is an ordinary one.
    await this.#request({}, name).catch(() => this.#show([]));
  }

  async #request(change: CommentParams, session = this.#session): Promise<void> {
    const { comments } = await this.#backend.execute('sketch.comment', { session, ...change });
    this.#show(comments);
  }

  #show(comments: readonly Comment[]): void {
    this.#comments = comments;
    const rows = groupComments(comments);
    for (const [name, thread] of this.#threads) {
      if (rows.has(name)) continue;
      thread.dispose();
      this.#threads.delete(name);
    }
    for (const [name, row] of rows) this.#showThread(name, row);
    void vscode.commands.executeCommand('setContext', 'sketch.hasComments', comments.length > 0);
  }

  #showThread(name: string, row: ThreadRow): void {
    const thread = this.#threads.get(name) ?? this.#createThread(row);
    this.#threads.set(name, thread);
    thread.label = 'For the agent, not sent yet';
    thread.contextValue = 'pending';
    thread.comments = row.comments.map(comment => new ShownComment(comment.id, comment.text, thread));
  }

  #createThread({ path, side, line }: ThreadRow): vscode.CommentThread {
    const version = versionOf(side, this.#store.uncommitted);
    const uri = fileUri({ session: this.#session, path, version });
    const thread = this.#controller.createCommentThread(uri, new vscode.Range(line - 1, 0, line - 1, 0), []);
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    return thread;
  }

  #setMode(comment: ShownComment, mode: vscode.CommentMode): void {
    comment.mode = mode;
    comment.thread.comments = [...comment.thread.comments]; // only an assignment is seen
  }

  #clear(): void {
    for (const thread of this.#threads.values()) thread.dispose();
    this.#threads.clear();
  }
}

/** What comments can be on; the agent hears of its own branch. */
function onOwnBranch(uri: vscode.Uri): FileAddress | undefined {
  const address = parseAddress(uri);
  return address?.branch === undefined ? address : undefined;
}

/** What was typed, as text: line breaks kept, no markup, no links that run commands. */
function plain(text: string): vscode.MarkdownString {
  return new vscode.MarkdownString(escapeMarkdown(text));
}
