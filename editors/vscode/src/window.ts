// The state of this window that the commands, the status bar item and the pickers share.

import * as vscode from 'vscode';
import { emptyModel, type Model, type ModelEvent, openPorts, reduce, type SessionPort } from './model';

export class WindowModel implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  #model: Model = emptyModel;

  readonly onDidChange = this.#changed.event;

  get value(): Model {
    return this.#model;
  }

  readonly ports = (): SessionPort[] => openPorts(this.#model);

  apply(event: ModelEvent): void {
    this.#model = reduce(this.#model, event);
    this.#changed.fire();
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
