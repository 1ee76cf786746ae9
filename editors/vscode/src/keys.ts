// Keys of models, in the editor's secret storage. The backend gets them at each connect and keeps them in memory only.

import type * as vscode from 'vscode';
import type { Backend } from './backend';

/** Names are no secret, and secret storage cannot list them. */
const namesKey = 'sketch.keyNames';

export class Keys {
  readonly #secrets: vscode.SecretStorage;
  readonly #state: vscode.Memento;
  readonly #backend: Backend;

  constructor(extension: vscode.ExtensionContext, backend: Backend) {
    this.#secrets = extension.secrets;
    this.#state = extension.globalState;
    this.#backend = backend;
  }

  get names(): readonly string[] {
    return this.#state.get<string[]>(namesKey, []);
  }

  /** Hands all keys to a backend that has just started. */
  async handOver(): Promise<void> {
    for (const name of this.names) {
      const key = await this.#secrets.get(secretName(name));
      if (key !== undefined) await this.#backend.execute('sketch.setKey', { name, key });
    }
  }

  /** Keeps a key, and forgets it where it is empty. */
  async set(name: string, key: string): Promise<void> {
    if (key === '') await this.#secrets.delete(secretName(name));
    else await this.#secrets.store(secretName(name), key);
    const others = this.names.filter(known => known !== name);
    await this.#state.update(namesKey, key === '' ? others : [...others, name]);
    await this.#backend.execute('sketch.setKey', { name, key });
  }
}

function secretName(name: string): string {
  return `sketch.key.${name}`;
}
