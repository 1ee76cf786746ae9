// The state of this window that the commands, the status bar item and the pickers share.

import * as vscode from 'vscode';
import { emptyModel, type Model, type ModelEvent, openPorts, reduce, type SessionPort } from './model';

export class WindowModel implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #ending = new Set<string>();
  #model: Model = emptyModel;

  readonly onDidChange = this.#changed.event;

  get value(): Model {
    return this.#model;
  }

  readonly ports = (): SessionPort[] => openPorts(this.#model);

  apply(event: ModelEvent): void {
    this.#model = reduce(this.#model, this.#expected(event));
    this.#changed.fire();
  }

  /** Runs what ends a session on request: that its container goes then is no fault to warn of. */
  async ending(name: string, action: () => Promise<unknown>): Promise<void> {
    this.#ending.add(name);
    try {
      await action();
      const session = this.#model.sessions.get(name);
      if (session !== undefined) this.apply({ type: 'session', session: { ...session, state: 'stopped' } });
    } finally {
      this.#ending.delete(name);
    }
  }

  #expected(event: ModelEvent): ModelEvent {
    if (event.type !== 'session' || event.session.state !== 'gone') return event;
    return this.#ending.has(event.session.name)
      ? { ...event, session: { ...event.session, state: 'stopped' } }
      : event;
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
