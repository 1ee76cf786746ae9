// Taking over a session's work: predicted first, asked, then done.

import * as vscode from 'vscode';
import type { Backend } from '../backend';
import { currentSession } from '../model';
import type { MergeHow, MergeResult, OtherBranch } from '../protocol';
import type { WindowModel } from '../window';
import { mergeDone, mergePlan, resolvePrompt, ways } from './mergeWords';

export interface MergeContext {
  readonly backend: Backend;
  readonly window: WindowModel;
}

/** Asks how, with what each way would do, and does it: with another branch of the session, or with its own. */
export async function chooseMerge(context: MergeContext, other?: OtherBranch): Promise<void> {
  const items = ways.map(way => ({
    ...way,
    label: `$(${way.icon}) ${way.title}`,
    description: way.detail,
    detail: '',
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: other?.name === undefined ? 'Take Over the Session’s Work' : `Take Over ${other.name}`,
    placeHolder: 'How',
  });
  if (chosen !== undefined) await merge(context, chosen.how, other);
}

export async function merge(context: MergeContext, how: MergeHow, other?: OtherBranch): Promise<void> {
  const { backend, window } = context;
  const session = currentSession(window.value);
  if (session === undefined) return;
  const argument = { session: session.name, ...(other?.name !== undefined && { branch: other.name }), how };
  const predicted = await backend.execute('sketch.merge', { ...argument, dryRun: true });
  const plan = mergePlan(predicted);
  if ((predicted.conflicts ?? []).length > 0) return await offerResolution(context, predicted, other);
  if (plan.button === undefined) return void vscode.window.showInformationMessage(plan.message);

  const options = { modal: true, detail: plan.detail };
  if ((await vscode.window.showWarningMessage(plan.message, options, plan.button)) !== plan.button) return;
  const result = await backend.execute('sketch.merge', argument);
  if (!result.done) return await offerResolution(context, result, other); // somebody else was quicker
  void vscode.window.showInformationMessage(mergeDone(result));
}

async function offerResolution(
  { backend, window }: MergeContext,
  result: MergeResult,
  other?: OtherBranch,
): Promise<void> {
  const { message, detail } = mergePlan(result);
  const agent = window.value.agents.get(result.session);
  const ask = 'Let the Agent Resolve It';
  const buttons = agent === undefined || agent.state === 'off' ? [] : [ask];
  const answer = await vscode.window.showWarningMessage(message, { modal: true, detail }, ...buttons);
  if (answer !== ask) return;
  const text = resolvePrompt(result, other?.inside);
  await backend.execute('sketch.prompt', { session: result.session, text });
  await vscode.commands.executeCommand('sketch.openChat');
}
