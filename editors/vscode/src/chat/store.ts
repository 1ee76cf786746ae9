// The conversation of this window's current session, kept whole: loaded when the session connects, filled up when a turn
// ends, for what a slow reader was not told.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import { currentSession } from '../model';
import type { AgentStatus, Message, MessageNotification, ModelInfo, Session } from '../protocol';
import type { WindowModel } from '../window';
import { type Conversation, Conversations } from './conversation';
import type { Attachment, ChatState } from './exchange';

const page = 200;

export class ChatStore implements vscode.Disposable {
  readonly #backend: Backend;
  readonly #window: WindowModel;
  readonly #log: vscode.LogOutputChannel;
  readonly #conversations = new Conversations();
  readonly #stateChanged = new vscode.EventEmitter<void>();
  readonly #reloaded = new vscode.EventEmitter<void>();
  readonly #message = new vscode.EventEmitter<MessageNotification>();
  readonly #following: vscode.Disposable;
  #models: readonly ModelInfo[] = [];
  #attachments: readonly Attachment[] = [];
  #shown = '';
  #limit = page;

  /** Anything but the messages changed. */
  readonly onDidChangeState = this.#stateChanged.event;
  /** Any of the messages may be another. */
  readonly onDidReload = this.#reloaded.event;
  /** One message came, or came again as it stands. */
  readonly onDidReceive = this.#message.event;

  constructor(backend: Backend, window: WindowModel, log: vscode.LogOutputChannel) {
    this.#backend = backend;
    this.#window = window;
    this.#log = log;
    this.#following = window.onDidChange(() => this.#windowChanged());
  }

  get session(): Session | undefined {
    return currentSession(this.#window.value);
  }

  get status(): AgentStatus | undefined {
    return this.session && this.#window.value.agents.get(this.session.name);
  }

  get state(): ChatState {
    const { session, status } = this;
    return {
      ...(session && {
        session: { name: session.name, branch: session.branch ?? session.name, state: session.state },
      }),
      ...(status && { status }),
      models: this.#models,
      attachments: this.#attachments,
    };
  }

  get conversation(): Conversation {
    return this.#conversations.get(this.session?.name ?? '');
  }

  /** Takes a message that the backend told. */
  receive(notification: MessageNotification): void {
    this.#conversations.put(notification);
    if (notification.session === this.session?.name) this.#message.fire(notification);
  }

  /** How the agent stood before and stands now; a turn that ended is looked at once more. */
  agentChanged(status: AgentStatus, before: AgentStatus | undefined): void {
    if (status.state === 'idle' && before !== undefined && before.state !== 'idle')
      void this.catchUp(status.session);
  }

  /** Asks for what a slow reader was not told, and tells it. */
  async catchUp(session: string): Promise<void> {
    const after = this.#conversations.settled(session);
    const answer = await this.#backend
      .execute('sketch.conversation', { session, after })
      .catch(error => this.#quietly('conversation', error));
    if (answer === undefined || answer.messages.length === 0) return;
    this.#conversations.fill(answer);
    for (const message of answer.messages) this.#message.fire({ session, message });
  }

  attach(...attachments: Attachment[]): void {
    const known = new Set(this.#attachments.map(entry => JSON.stringify(entry)));
    this.#attachments = [
      ...this.#attachments,
      ...attachments.filter(entry => !known.has(JSON.stringify(entry))),
    ];
    this.#stateChanged.fire();
  }

  detach(index: number): void {
    this.#attachments = this.#attachments.toSpliced(index, 1);
    this.#stateChanged.fire();
  }

  takeAttachments(): readonly Attachment[] {
    const taken = this.#attachments;
    this.#attachments = [];
    if (taken.length > 0) this.#stateChanged.fire();
    return taken;
  }

  /** Asks for earlier messages too. */
  async earlier(): Promise<void> {
    this.#limit += page;
    if (this.session !== undefined) await this.#load(this.session.name);
  }

  async reloadModels(): Promise<void> {
    const answer = await this.#backend
      .execute('sketch.models')
      .catch(error => this.#quietly('models', error));
    this.#models = answer?.models ?? [];
    this.#stateChanged.fire();
  }

  /** The last message of the agent that was finished, for other parts. */
  last(kind: Message['kind']): Message | undefined {
    return this.conversation.messages.findLast(message => message.kind === kind && message.done);
  }

  dispose(): void {
    this.#following.dispose();
    for (const emitter of [this.#stateChanged, this.#reloaded, this.#message]) emitter.dispose();
  }

  #windowChanged(): void {
    const { session } = this;
    const shown = session?.state === 'connected' ? session.name : '';
    const reset = this.#window.value.sessions.size === 0;
    if (reset) this.#conversations.clear();
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#limit = page;
      if (shown !== '') {
        void this.#load(shown);
        void this.reloadModels();
      } else {
        this.#reloaded.fire();
      }
    }
    this.#stateChanged.fire();
  }

  async #load(session: string): Promise<void> {
    const answer = await this.#backend
      .execute('sketch.conversation', { session, limit: this.#limit })
      .catch(error => this.#quietly('conversation', error));
    if (answer === undefined) return;
    this.#conversations.load(answer);
    this.#window.apply({ type: 'agent', status: answer.status });
    this.#reloaded.fire();
  }

  #quietly(what: string, error: unknown): undefined {
    this.#log.warn(`${what}:`, error);
    return undefined;
  }
}
