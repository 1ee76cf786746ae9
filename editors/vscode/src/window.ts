// The state of this window that the commands, the status bar item and the pickers share.

import * as vscode from 'vscode';
import { emptyModel, type Model, type ModelEvent, openPorts, reduce, type SessionPort } from './model';
import type { Session } from './protocol';

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
      if (session !== undefined) this.apply({ type: 'session', session: ended(session) });
    } finally {
      this.#ending.delete(name);
    }
  }

  #expected(event: ModelEvent): ModelEvent {
    if (event.type !== 'session' || event.session.state !== 'gone') return event;
    return this.#ending.has(event.session.name) ? { ...event, session: ended(event.session) } : event;
  }

  dispose(): void {
    this.#changed.dispose();
  }
}

/** The session as it is when it was ended on request: nothing is wrong with it. */
function ended(session: Session): Session {
  const { error: _, ...rest } = session;
  return { ...rest, state: 'stopped' };
}
