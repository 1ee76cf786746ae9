// `@sketch` in the editor's own chat, where there is one: the same conversation by another door.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import { errorText, userError } from '../errors';
import type { PromptParams, Session } from '../protocol';
import { repositoryPath } from './attachments';
import { referenced } from './references';
import type { ChatStore } from './store';
import { type Piece, TurnText } from './turnText';

/** Registers the participant where the editor has the Chat API; a fork may lack it. */
export function registerParticipant(backend: Backend, store: ChatStore): vscode.Disposable {
  if (typeof vscode.chat?.createChatParticipant !== 'function') return { dispose: () => {} };
  const participant = vscode.chat.createChatParticipant('sketch.agent', (request, _context, stream, token) =>
    answer(backend, store, request, stream, token),
  );
  participant.iconPath = new vscode.ThemeIcon('vm');
  return participant;
}

async function answer(
  backend: Backend,
  store: ChatStore,
  request: vscode.ChatRequest,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<void> {
  const session = store.session;
  if (session === undefined) {
    stream.markdown('No session is running here.');
    stream.button({ command: 'sketch.startSession', title: 'Start Session' });
    return;
  }
  const text = new TurnText();
  const listening = store.onDidReceive(({ message }) => show(text.take(message), stream));
  // The answer is not waited for: the turn's end is told by the agent's state.
  const cancel = () => void backend.execute('sketch.cancel', { session: session.name }).catch(() => {});
  const cancelled = token.onCancellationRequested(cancel);
  try {
    const { turn } = await backend.execute('sketch.prompt', promptOf(request, session));
    show(text.begin(turn), stream);
    if (token.isCancellationRequested) cancel(); // the first one may have come before the turn
    await turnOver(store, turn, token);
    await store.catchUp(session.name);
  } catch (error) {
    const known = userError(error);
    if (known !== undefined) stream.markdown(errorText(known));
  } finally {
    listening.dispose();
    cancelled.dispose();
  }
}

/** The request with the files that it refers to. */
function promptOf({ prompt, references }: vscode.ChatRequest, session: Session): PromptParams {
  const values = (references ?? []).map(({ value }) => value);
  const context = referenced(values, (uri: vscode.Uri) => repositoryPath(uri, session));
  return { session: session.name, text: prompt, ...(context.length > 0 && { context }) };
}

function show({ markdown, progress, asks }: Piece, stream: vscode.ChatResponseStream): void {
  if (progress !== undefined) stream.progress(progress);
  if (markdown !== '') stream.markdown(markdown);
  // This chat takes no second message while it waits for the first one's answer.
  if (asks) stream.button({ command: 'sketch.openChat', title: 'Answer in Sketch Chat' });
}

/** Resolves when the turn is over, or nobody waits for it any more. */
function turnOver(store: ChatStore, turn: number, token: vscode.CancellationToken): Promise<void> {
  return new Promise(resolve => {
    const check = (): void => {
      const { status } = store;
      const over =
        status === undefined || status.turn > turn || (status.turn === turn && status.state === 'idle');
      if (!over && !token.isCancellationRequested) return;
      following.dispose();
      cancelling.dispose();
      resolve();
    };
    const following = store.onDidChangeState(check);
    const cancelling = token.onCancellationRequested(check);
    check();
  });
}
