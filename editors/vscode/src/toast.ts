// `window/showMessageRequest`: the backend's toasts. The language client shows them too, but drops what only an editor
// can do: a preview, the clipboard, not to show it again.

import * as vscode from 'vscode';
import {
  MessageType,
  type ShowMessageParams,
  type ShowMessageRequestParams,
} from 'vscode-languageclient/node';
import type { Opener } from './opener';
import { plainText } from './plainText';
import type { ClientAction, ToastAction } from './protocol';

/** What this extension does by itself when its button is chosen; declared to the backend. */
export const clientActions: ClientAction[] = ['preview', 'copyUrl'];

/** Shows the message and resolves to the chosen action, or null; that can be hours later. */
export async function showToast(
  params: ShowMessageRequestParams,
  opener: Opener,
): Promise<ToastAction | null> {
  const actions: ToastAction[] = params.actions ?? [];
  const message = plainText(params.message) + silenceLink(actions);
  const chosen = await show(params.type)<ToastAction>(message, ...actions);
  if (chosen?.url !== undefined) {
    if (chosen.action === 'preview') await opener.preview(chosen.url);
    if (chosen.action === 'copyUrl') await opener.copy(chosen.url);
  }
  return chosen ?? null;
}

/** A fifth button would leave no room for the words of the other four; a link beside the text does. */
function silenceLink(actions: readonly ToastAction[]): string {
  const ports = [...new Set(actions.flatMap(({ port }) => (port === undefined || port === 0 ? [] : [port])))];
  if (ports.length === 0) return '';
  return ` · [Don’t Show Again](command:sketch.silencePort?${encodeURIComponent(JSON.stringify([ports]))})`;
}

/** Shows a message of the backend; what the agent says can be followed to where it said it. */
export async function showTold(params: ShowMessageParams): Promise<void> {
  const items = params.message.startsWith('Agent ') ? [{ title: 'Open Chat' }] : [];
  const chosen = await show(params.type)(plainText(params.message), ...items);
  if (chosen !== undefined) await vscode.commands.executeCommand('sketch.openChat');
}

type Show = <T extends vscode.MessageItem>(message: string, ...items: T[]) => Thenable<T | undefined>;

function show(type: MessageType): Show {
  switch (type) {
    case MessageType.Error:
      return vscode.window.showErrorMessage;
    case MessageType.Warning:
      return vscode.window.showWarningMessage;
    default:
      return vscode.window.showInformationMessage;
  }
}
