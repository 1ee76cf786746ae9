// Wiring only: what happens is in the modules.

import * as vscode from 'vscode';
import { Backend, localFolders } from './backend';
import { ReviewComments } from './changes/comments';
import { FileDocuments } from './changes/documents';
import { ChangesStore } from './changes/store';
import { createChangesView } from './changes/view';
import { registerParticipant } from './chat/participant';
import { ChatStore } from './chat/store';
import { ChatView } from './chat/view';
import { commands } from './commands';
import type { CommandContext } from './commands/context';
import { run, runBackendCommand } from './commands/run';
import { resume } from './commands/sessions';
import type { Listener } from './connection';
import { editorDesktop } from './desktop';
import { StatusDocument } from './document';
import { Keys } from './keys';
import { openLink } from './linkHandler';
import { Opener } from './opener';
import { ProgressNotifications } from './progress';
import { collectSettings, settingNames } from './settings';
import { SilentPorts } from './silence';
import { statusView } from './status';
import { createStatusItem, showStatusView } from './statusItem';
import { SketchTerminals } from './terminal';
import { showToast, showTold } from './toast';
import { createPortsView } from './views/ports';
import { SessionsView } from './views/sessions';
import { WindowModel } from './window';

let backend: Backend | undefined;

export function activate(extension: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Sketch', { log: true });
  const window = new WindowModel();
  const progress = new ProgressNotifications();
  const document = new StatusDocument();
  const silent = new SilentPorts(extension.workspaceState);
  const names = settingNames(extension.extension.packageJSON);
  let firstConnection = true;

  backend = new Backend({
    extensionPath: extension.extensionPath,
    log,
    settings: folder => collectSettings(names, userSetting(folder), silent.ports),
    listener: listen(() => context),
    connected: () => {
      const wanted = firstConnection && vscode.workspace.getConfiguration('sketch').get('autoStart', false);
      firstConnection = false;
      void begun(context, wanted);
    },
    disconnected: () => {
      progress.clear();
      window.apply({ type: 'reset' });
    },
    gaveUp: reason => void offerRestart(`The Sketch backend crashed too often: ${reason}.`),
    mismatch: sentence => void vscode.window.showWarningMessage(sentence),
  });
  const changes = new ChangesStore(backend, window, log);
  const chatStore = new ChatStore(backend, window, log);
  const context: CommandContext = {
    backend,
    window,
    opener: new Opener(editorDesktop(log)),
    progress,
    log,
    changes,
    comments: new ReviewComments(backend, window, changes),
    chat: new ChatView(extension.extensionUri, backend, chatStore, log),
    chatStore,
    keys: new Keys(extension, backend),
    silent,
    terminals: new SketchTerminals(backend, window),
    sessions: new SessionsView(backend, window),
    showDocument: document.show,
    logDirectory: extension.logUri,
    version: extension.extension.packageJSON.version,
    settingNames: names,
  };
  extension.subscriptions.push(
    ...[
      log,
      window,
      progress,
      document,
      backend,
      changes,
      chatStore,
      context.comments,
      context.chat,
      context.sessions,
    ],
    ...[createChangesView(changes), createPortsView(window), new FileDocuments(backend, changes)],
    ...[statusItem(context), registerParticipant(backend, chatStore), followSettings(context)],
    vscode.window.registerWebviewViewProvider(ChatView.id, context.chat),
    vscode.window.registerTerminalProfileProvider('sketch.terminal', context.terminals),
    vscode.window.registerUriHandler({ handleUri: uri => run(() => openLink(context, uri), context) }),
    vscode.window.onDidChangeWindowState(
      ({ focused }) => void context.backend.focus(focused).catch(() => {}),
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      showTrust();
      void begin(context);
    }),
    ...Object.entries(commands).map(([id, command]) =>
      vscode.commands.registerCommand(id, (...args) => run(command, context, ...args)),
    ),
  );
  showTrust();
  void begin(context);
}

/** VS Code waits for this when the window closes. */
export async function deactivate(): Promise<void> {
  await backend?.stop();
}

/** What the backend tells, and where it goes. */
function listen(context: () => CommandContext): Omit<Listener, 'crashed'> {
  return {
    session: session => context().window.apply({ type: 'session', session }),
    ports: ports => context().window.apply({ type: 'ports', ports }),
    portEvent: ({ type, port }) => {
      if (type === 'preview' && port.url !== undefined) void context().opener.preview(port.url);
    },
    branch: branch => context().window.apply({ type: 'branch', branch }),
    agent: status => {
      const { window, chatStore } = context();
      const before = window.value.agents.get(status.session);
      window.apply({ type: 'agent', status });
      chatStore.agentChanged(status, before);
    },
    message: message => context().chatStore.receive(message),
    toast: params => showToast(params, context().opener),
    tell: params => void showTold(params),
    openExternal: url => context().opener.open(url),
    progress: (token, value, cancel) => context().progress.handle(token, value, cancel),
    command: (name, args) => runBackendCommand(context(), name, args),
  };
}

/** For package.json. VS Code's own key for it has been seen to stay unset in a trusted window. */
function showTrust(): void {
  void vscode.commands.executeCommand('setContext', 'sketch.restricted', !vscode.workspace.isTrusted);
}

/** Starts the backend where there is something for it to do. What fails here is in the status bar, not in a toast. */
async function begin({ backend }: CommandContext): Promise<void> {
  if (vscode.workspace.isTrusted && localFolders().length > 0) await backend.connect().catch(() => {});
}

/** The backend runs, for the first time or again: it gets the keys, and this window its sessions. */
async function begun(context: CommandContext, autoStart: boolean): Promise<void> {
  await context.backend.focus(vscode.window.state.focused);
  await context.keys.handOver().catch(error => context.log.warn('handing over keys:', error));
  await resume(context, autoStart);
}

function statusItem({ backend, window, progress }: CommandContext): vscode.Disposable {
  const item = createStatusItem();
  const refresh = (): void => showStatusView(item, statusView(backend.state, window.value, progress.current));
  refresh();
  return vscode.Disposable.from(
    item,
    backend.onDidChangeState(refresh),
    window.onDidChange(refresh),
    progress.onDidChange(refresh),
  );
}

function followSettings(context: CommandContext): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration(event => {
    if (event.affectsConfiguration('sketch.serverPath')) void run(c => c.backend.restart(), context);
    else if (event.affectsConfiguration('sketch')) void run(c => c.backend.configure(), context);
  });
}

/** Reads a setting where the user made it, so that a default of ours hides nothing that the repository says. */
function userSetting(folder: vscode.WorkspaceFolder | undefined): (name: string) => unknown {
  const settings = vscode.workspace.getConfiguration('sketch', folder);
  return name => {
    const { globalValue, workspaceValue, workspaceFolderValue } = settings.inspect(name) ?? {};
    const made = [globalValue, workspaceValue, workspaceFolderValue].some(value => value !== undefined);
    // That this editor shows buttons is no choice of the user's, and cannot be seen from the name of every fork.
    return made || name === 'notifications' ? settings.get(name) : undefined;
  };
}

async function offerRestart(message: string): Promise<void> {
  const answer = await vscode.window.showErrorMessage(message, 'Restart Backend', 'Show Log');
  if (answer === 'Restart Backend') await vscode.commands.executeCommand('sketch.restartBackend');
  if (answer === 'Show Log') await vscode.commands.executeCommand('sketch.showLog');
}
