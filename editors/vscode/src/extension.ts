// Wiring only: what happens is in the modules.

import * as vscode from 'vscode';
import { Backend, localFolders } from './backend';
import { type CommandContext, commands, resume, run, runBackendCommand } from './commands';
import type { Listener } from './connection';
import { editorDesktop } from './desktop';
import { StatusDocument } from './document';
import { Opener } from './opener';
import { ProgressNotifications } from './progress';
import { statusView } from './status';
import { createStatusItem, showStatusView } from './statusItem';
import { showToast } from './toast';
import { WindowModel } from './window';

let backend: Backend | undefined;

export function activate(extension: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Sketch', { log: true });
  const opener = new Opener(editorDesktop(log));
  const window = new WindowModel();
  const progress = new ProgressNotifications();
  const document = new StatusDocument();
  const item = createStatusItem();
  let firstConnection = true;

  const listener: Omit<Listener, 'crashed'> = {
    session: session => window.apply({ type: 'session', session }),
    ports: ports => window.apply({ type: 'ports', ports }),
    portEvent: event => {
      if (event.type === 'preview' && event.port.url !== undefined) void opener.preview(event.port.url);
    },
    toast: params => showToast(params, opener),
    openExternal: url => opener.open(url),
    progress: (token, value, cancel) => progress.handle(token, value, cancel),
    command: (name, args) => runBackendCommand(context, name, args),
  };
  backend = new Backend({
    extensionPath: extension.extensionPath,
    log,
    listener,
    connected: () => {
      const wanted = firstConnection && vscode.workspace.getConfiguration('sketch').get('autoStart', false);
      firstConnection = false;
      void resume(context, wanted);
    },
    disconnected: () => {
      progress.clear();
      window.apply({ type: 'reset' });
    },
    gaveUp: reason => void offerRestart(`The Sketch backend crashed too often: ${reason}.`),
    mismatch: sentence => void vscode.window.showWarningMessage(sentence),
  });
  const context: CommandContext = {
    backend,
    window,
    opener,
    progress,
    log,
    showDocument: document.show,
    version: extension.extension.packageJSON.version,
  };

  const refresh = (): void =>
    showStatusView(item, statusView(context.backend.state, window.value, progress.current));
  extension.subscriptions.push(
    ...[log, window, progress, document, item, backend],
    backend.onDidChangeState(refresh),
    window.onDidChange(refresh),
    progress.onDidChange(refresh),
    vscode.workspace.onDidChangeConfiguration(event => {
      if (event.affectsConfiguration('sketch.serverPath')) void run(c => c.backend.restart(), context);
      else if (event.affectsConfiguration('sketch')) void run(c => c.backend.configure(), context);
    }),
    ...Object.entries(commands).map(([id, command]) =>
      vscode.commands.registerCommand(id, () => run(command, context)),
    ),
  );
  refresh();
  void begin(context);
}

/** VS Code waits for this when the window closes. */
export async function deactivate(): Promise<void> {
  await backend?.stop();
}

/** Starts the backend where there is something for it to do. What fails here is in the status bar, not in a toast. */
async function begin(context: CommandContext): Promise<void> {
  if (localFolders().length > 0) await context.backend.connect().catch(() => {});
}

async function offerRestart(message: string): Promise<void> {
  const answer = await vscode.window.showErrorMessage(message, 'Restart Backend', 'Show Log');
  if (answer === 'Restart Backend') await vscode.commands.executeCommand('sketch.restartBackend');
  if (answer === 'Show Log') await vscode.commands.executeCommand('sketch.showLog');
}
