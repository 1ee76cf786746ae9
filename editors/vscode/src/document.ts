// A read-only text document for "Show Status".

import * as vscode from 'vscode';

const uri = vscode.Uri.parse('sketch-status:/Sketch%20Status.md');

export class StatusDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(uri.scheme, this);
  #text = '';

  readonly onDidChange = this.#changed.event;

  provideTextDocumentContent(): string {
    return this.#text;
  }

  readonly show = async (text: string): Promise<void> => {
    this.#text = text;
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  };

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
