// Commands of the conversation: open it, attach to it, stop the agent, keys.

import * as vscode from 'vscode';
import { repositoryPath, selectedCode } from '../chat/attachments';
import { type Command, type CommandContext, needSession } from './context';

export const chatCommands: Record<string, Command> = {
  'sketch.openChat': ({ chat }) => chat.show(),
  'sketch.attachSelection': attachSelection,
  'sketch.attachFile': attachFile,
  'sketch.stopAgent': async context => {
    const session = await needSession(context);
    if (session !== undefined) await context.backend.execute('sketch.cancel', { session: session.name });
  },
  'sketch.setApiKey': setKey,
  'sketch.removeApiKey': removeKey,
};

async function attachSelection(context: CommandContext): Promise<void> {
  const session = await needSession(context);
  if (session === undefined) return;
  const attachment = selectedCode(vscode.window.activeTextEditor, session);
  if (attachment === undefined) {
    void vscode.window.showInformationMessage('The editor shows no file of the session’s repository.');
    return;
  }
  context.chatStore.attach(attachment);
  await context.chat.show();
}

async function attachFile(context: CommandContext, uri: unknown, uris: unknown): Promise<void> {
  const session = await needSession(context);
  if (session === undefined) return;
  const all = (Array.isArray(uris) ? uris : [uri]).filter(each => each instanceof vscode.Uri);
  const paths = all.flatMap(each => repositoryPath(each, session) ?? []);
  if (paths.length === 0) return await attachSelection(context);
  context.chatStore.attach(...paths.map(path => ({ path })));
  await context.chat.show();
}

/** Providers stand beside the models: one key does for all models of a provider. */
const providers = ['anthropic', 'openai'];

async function setKey(context: CommandContext): Promise<void> {
  const { models } = await context.backend.execute('sketch.models').catch(() => ({ models: [] }));
  const items = [
    ...providers.map(name => ({ label: name, description: 'all models of this provider' })),
    ...models.map(({ name, model }) => ({ label: name, description: model })),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Set API Key',
    placeHolder: 'What the key is for',
  });
  if (chosen === undefined) return;
  const key = await vscode.window.showInputBox({
    title: `API Key for ${chosen.label}`,
    prompt: 'It is kept in the editor’s secret storage, and never enters the container.',
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined || key.trim() === '') return;
  await context.keys.set(chosen.label, key.trim());
  await context.chatStore.reloadModels();
  void vscode.window.showInformationMessage(`The key for ${chosen.label} is set.`);
}

async function removeKey(context: CommandContext): Promise<void> {
  const { names } = context.keys;
  if (names.length === 0) {
    void vscode.window.showInformationMessage('No key is kept here.');
    return;
  }
  const name = await vscode.window.showQuickPick([...names], { title: 'Remove API Key' });
  if (name === undefined) return;
  await context.keys.set(name, '');
  await context.chatStore.reloadModels();
}
