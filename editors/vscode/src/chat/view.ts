// The Chat view: a page that shows the conversation and sends what is typed. It has no state but the draft.

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { Backend } from '../backend';
import { errorText, userError } from '../errors';
import { droppedFiles, pickFiles } from './attachments';
import { type FromPage, readFromPage, type ToPage } from './exchange';
import type { ChatStore } from './store';

export class ChatView implements vscode.WebviewViewProvider, vscode.Disposable {
  static readonly id = 'sketch.chat';

  readonly #extension: vscode.Uri;
  readonly #backend: Backend;
  readonly #store: ChatStore;
  readonly #log: vscode.LogOutputChannel;
  readonly #following: vscode.Disposable;
  #view: vscode.WebviewView | undefined;
  /** What was to be typed before there was a page. */
  #draft: string | undefined;
  /** The cursor is to be in the page as soon as there is one. */
  #wanted = false;
  /** The page listens. A page that is hidden is gone. */
  #ready = false;

  constructor(extension: vscode.Uri, backend: Backend, store: ChatStore, log: vscode.LogOutputChannel) {
    this.#extension = extension;
    this.#backend = backend;
    this.#store = store;
    this.#log = log;
    this.#following = vscode.Disposable.from(
      store.onDidChangeState(() => this.#postState()),
      store.onDidReload(() => this.#postConversation()),
      store.onDidReceive(({ message }) => this.#post({ type: 'message', message })),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    const { webview } = view;
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(this.#extension, 'dist')],
    };
    const received = webview.onDidReceiveMessage((value: unknown) => {
      const message = readFromPage(value);
      if (message !== undefined) void this.#receive(message);
    });
    view.onDidChangeVisibility(() => {
      this.#ready &&= view.visible;
    });
    view.onDidDispose(() => {
      received.dispose();
      this.#view = undefined;
      this.#ready = false;
    });
    webview.html = this.#html(webview);
    this.#badge();
  }

  /** Shows the view with the cursor where one types; `text` is put there, and never sent by itself. */
  async show(text?: string): Promise<void> {
    if (text !== undefined) this.#draft = text;
    this.#wanted = true;
    await this.#focus();
    this.#postDraft();
  }

  /** Moves the cursor there; once more when the page is there, which the editor does not wait for. */
  async #focus(): Promise<void> {
    await vscode.commands.executeCommand(`${ChatView.id}.focus`);
    if (!this.#ready) return;
    this.#wanted = false;
    this.#post({ type: 'focus' });
  }

  dispose(): void {
    this.#following.dispose();
  }

  async #receive(message: FromPage): Promise<void> {
    try {
      await this.#act(message);
    } catch (error) {
      const known = userError(error);
      if (known !== undefined) this.#log.error('chat:', error);
      // Told in any case: the page waits for it before it sends again.
      this.#post({ type: 'refused', text: known === undefined ? '' : errorText(known) });
    }
  }

  async #act(message: FromPage): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.#postState();
        this.#postConversation();
        this.#postDraft();
        this.#ready = true;
        if (this.#wanted) await this.#focus();
        return;
      case 'prompt':
        return await this.#prompt(message);
      case 'cancel':
        await this.#backend.execute('sketch.cancel', {
          ...this.#named(),
          ...(message.tool && { tool: message.tool }),
        });
        return;
      case 'answer':
        await this.#backend.execute('sketch.answer', {
          ...this.#named(),
          id: message.id,
          answer: message.answer,
        });
        return;
      case 'detach':
        return this.#store.detach(message.index);
      case 'attach':
        if (this.#store.session !== undefined) this.#store.attach(...(await pickFiles(this.#store.session)));
        return;
      case 'dropped':
        return await this.#dropped(message.uris);
      case 'earlier':
        return await this.#store.earlier();
      case 'command':
        await vscode.commands.executeCommand(message.command);
        return;
    }
  }

  async #prompt({ text, images, model }: FromPage & { type: 'prompt' }): Promise<void> {
    const context = this.#store.takeAttachments();
    try {
      await this.#backend.execute('sketch.prompt', {
        ...this.#named(),
        text,
        ...(images.length > 0 && { images: [...images] }),
        ...(context.length > 0 && { context: [...context] }),
        ...(model !== undefined && { model }),
      });
    } catch (error) {
      this.#store.attach(...context); // the page keeps the text, too
      throw error;
    }
    this.#post({ type: 'taken' });
  }

  async #dropped(uris: readonly string[]): Promise<void> {
    const { session } = this.#store;
    if (session === undefined) return;
    const files = await droppedFiles(uris, session);
    if (files.length > 0) this.#store.attach(...files);
    else this.#post({ type: 'refused', text: 'Only files of the session’s repository can be attached.' });
  }

  #named(): { session?: string } {
    const name = this.#store.session?.name;
    return name === undefined ? {} : { session: name };
  }

  #postState(): void {
    this.#badge();
    this.#post({ type: 'state', state: this.#store.state });
  }

  #postConversation(): void {
    this.#post({ type: 'conversation', ...this.#store.conversation });
  }

  #postDraft(): void {
    if (this.#draft === undefined || this.#view === undefined) return;
    this.#post({ type: 'compose', text: this.#draft });
    if (this.#view.visible) this.#draft = undefined;
  }

  #post(message: ToPage): void {
    void this.#view?.webview.postMessage(message);
  }

  #badge(): void {
    if (this.#view === undefined) return;
    const asks = this.#store.status?.state === 'asking';
    this.#view.badge = asks ? { value: 1, tooltip: 'The agent asks something' } : undefined;
    this.#view.description = this.#store.session?.branch ?? '';
  }

  #html(webview: vscode.Webview): string {
    const nonce = randomBytes(16).toString('base64');
    const address = (name: string): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(this.#extension, 'dist', name)).toString();
    const policy = [
      "default-src 'none'",
      'img-src data:',
      `style-src ${webview.cspSource}`,
      `script-src 'nonce-${nonce}'`,
    ].join('; ');
    return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${address('chat.css')}">
  <title>Sketch Chat</title>
</head>
<body>
  <main id="chat"><h1 class="unseen">Sketch Chat</h1></main>
  <script nonce="${nonce}" src="${address('chat.js')}"></script>
</body>
</html>`;
  }
}
