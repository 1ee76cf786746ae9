// "Don't Show Again" for one port: kept by the editor for this folder, so that no file of the repository is written for it.

import type * as vscode from 'vscode';

const stateKey = 'sketch.silentPorts';

export class SilentPorts {
  readonly #state: vscode.Memento;

  constructor(state: vscode.Memento) {
    this.#state = state;
  }

  get ports(): readonly number[] {
    return this.#state.get<number[]>(stateKey, []);
  }

  async add(port: number): Promise<void> {
    await this.#state.update(stateKey, [...new Set([...this.ports, port])]);
  }

  async clear(): Promise<void> {
    await this.#state.update(stateKey, undefined);
  }
}
