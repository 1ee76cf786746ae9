// Terminals inside the session: `sketch-ide ssh`, which is the user's own OpenSSH with the session's pinned keys.

import * as vscode from 'vscode';
import type { Backend } from './backend';
import { currentSession } from './model';
import type { Session } from './protocol';
import { ServerError } from './server';
import type { WindowModel } from './window';

export class SketchTerminals implements vscode.TerminalProfileProvider {
  readonly #backend: Backend;
  readonly #window: WindowModel;

  constructor(backend: Backend, window: WindowModel) {
    this.#backend = backend;
    this.#window = window;
  }

  provideTerminalProfile(): vscode.TerminalProfile {
    return new vscode.TerminalProfile(this.#options(currentSession(this.#window.value)));
  }

  open(session: Session | undefined): void {
    vscode.window.createTerminal(this.#options(session)).show();
  }

  #options(session: Session | undefined): vscode.TerminalOptions {
    const server = this.#backend.server;
    if (session === undefined || server === undefined) {
      throw new ServerError('No session is running here.', 'Run "Sketch: Start Session" first.');
    }
    return {
      name: `Sketch: ${(session.branch ?? session.name).replace(/^sketch\//, '')}`,
      iconPath: new vscode.ThemeIcon('vm'),
      shellPath: server.path,
      shellArgs: ['ssh', session.name],
      isTransient: true, // a shell inside cannot be revived by the editor
    };
  }
}
