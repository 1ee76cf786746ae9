// The backend's `$/progress` as notifications with a Cancel button. The language client's own rendering is a spinner in
// the status bar, which is too little for an image build and cannot be cancelled.

import * as vscode from 'vscode';
import type {
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

export type ProgressValue = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

interface Task {
  readonly title: string;
  percentage: number;
  readonly report: (message: string | undefined, increment: number | undefined) => void;
  readonly end: () => void;
}

export class ProgressNotifications implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #tasks = new Map<ProgressToken, Task>();
  #quiet = 0;

  /** Fires when a task begins or ends. */
  readonly onDidChange = this.#changed.event;

  /** The title of the task that began last. */
  get current(): string | undefined {
    return [...this.#tasks.values()].at(-1)?.title;
  }

  /** What begins during `action` spins in the status bar only: nobody asked for it. */
  async quietly<T>(action: () => Promise<T>): Promise<T> {
    this.#quiet++;
    try {
      return await action();
    } finally {
      this.#quiet--;
    }
  }

  /** Takes one `$/progress` value; `cancel` is called when the user presses Cancel. */
  handle(token: ProgressToken, value: ProgressValue, cancel: () => void): void {
    switch (value.kind) {
      case 'begin':
        this.#begin(token, value, cancel);
        break;
      case 'report':
        this.#report(token, value);
        break;
      case 'end':
        this.#end(token);
        break;
    }
  }

  /** Ends all tasks: the backend that reported on them is gone. */
  clear(): void {
    for (const token of [...this.#tasks.keys()]) this.#end(token);
  }

  dispose(): void {
    this.clear();
    this.#changed.dispose();
  }

  #begin(token: ProgressToken, begin: WorkDoneProgressBegin, cancel: () => void): void {
    this.#end(token);
    const options = {
      location: this.#quiet > 0 ? vscode.ProgressLocation.Window : vscode.ProgressLocation.Notification,
      title: begin.title,
      cancellable: begin.cancellable === true,
    };
    void vscode.window.withProgress(options, (progress, cancelled) => {
      cancelled.onCancellationRequested(cancel);
      return new Promise<void>(resolve => {
        this.#tasks.set(token, {
          title: begin.title,
          percentage: 0,
          report: (message, increment) =>
            progress.report({ ...(message && { message }), ...(increment && { increment }) }),
          end: resolve,
        });
        this.#report(token, begin);
        this.#changed.fire();
      });
    });
  }

  #report(token: ProgressToken, value: WorkDoneProgressBegin | WorkDoneProgressReport): void {
    const task = this.#tasks.get(token);
    if (task === undefined) return;
    const percentage = Math.min(Math.max(value.percentage ?? task.percentage, task.percentage), 100);
    task.report(value.message, percentage - task.percentage);
    task.percentage = percentage;
  }

  #end(token: ProgressToken): void {
    const task = this.#tasks.get(token);
    if (task === undefined) return;
    this.#tasks.delete(token);
    task.end();
    this.#changed.fire();
  }
}
