// Commands of ports: open, preview, copy, forward, remap, silence.

import * as vscode from 'vscode';
import { forwardedPorts, type SessionPort } from '../model';
import { pickPort, showPorts } from '../pickers';
import type { PortChoice } from '../ports';
import { hostPortProblem } from '../ports';
import { type Command, type CommandContext, needSession, portOf } from './context';
import { run } from './run';

export const portCommands: Record<string, Command> = {
  'sketch.showPorts': listPorts,
  'sketch.openPortInBrowser': choose('open'),
  'sketch.previewPort': choose('preview'),
  'sketch.copyPortUrl': choose('copy'),
  'sketch.stopForwarding': choose('stop'),
  'sketch.forwardPort': forwardPort,
  'sketch.changeHostPort': changeHostPort,
  'sketch.silencePort': silencePort,
  'sketch.resetNotifications': resetNotifications,
};

/** A command that does something with a port that is forwarded: the row's, or one that is asked for. */
function choose(choice: PortChoice): Command {
  return async (context, argument) => {
    const target = portOf(context, argument) ?? (await askForwarded(context));
    if (target !== undefined) await actOnPort(context, choice, target);
  };
}

async function askForwarded(context: CommandContext): Promise<SessionPort | undefined> {
  if ((await needSession(context)) === undefined) return undefined;
  const ports = forwardedPorts(context.window.value);
  if (ports.length > 0) return await pickPort(ports, 'Choose a port');
  void vscode.window.showInformationMessage('No port is forwarded.');
  return undefined;
}

async function listPorts(context: CommandContext): Promise<void> {
  if ((await needSession(context)) === undefined) return;
  const ports = { ports: context.window.ports, onDidChange: context.window.onDidChange };
  if (ports.ports().length === 0) {
    void vscode.window.showInformationMessage('No ports are open in the session.');
    return;
  }
  showPorts(ports, (choice, target) => void run(() => actOnPort(context, choice, target), context));
}

async function actOnPort(context: CommandContext, choice: PortChoice, target: SessionPort): Promise<void> {
  const { backend, opener } = context;
  const argument = { session: target.session, port: target.port.number };
  const url = target.port.url ?? '';
  switch (choice) {
    case 'open':
      // By way of the backend: it knows whether the port is still there, and says so.
      await backend.execute('sketch.openPort', argument);
      return;
    case 'preview':
      await opener.preview(url);
      return;
    case 'copy':
      return await opener.copy(url);
    case 'stop':
      await backend.execute('sketch.unforward', argument);
      return;
    case 'forward':
      await backend.execute('sketch.forward', argument);
      return;
  }
}

/** Forwards the row's port, or one whose number is asked for: it need not be open yet. */
async function forwardPort(context: CommandContext, argument: unknown): Promise<void> {
  const target = portOf(context, argument);
  if (target !== undefined) return await actOnPort(context, 'forward', target);
  const session = await needSession(context);
  if (session === undefined) return;
  const port = await askNumber('Forward a Port', 'Port in the container');
  if (port !== undefined) await context.backend.execute('sketch.forward', { session: session.name, port });
}

async function changeHostPort(context: CommandContext, argument: unknown): Promise<void> {
  const target = portOf(context, argument) ?? (await askForwarded(context));
  if (target === undefined) return;
  const { session, port } = target;
  const current = String(port.hostPort ?? port.number);
  const hostPort = await askNumber(`Port ${port.number}: Local Address Port`, 'Port on localhost', current);
  if (hostPort === undefined || hostPort === port.hostPort) return;
  await context.backend.execute('sketch.forward', { session, port: port.number, hostPort });
}

async function askNumber(title: string, prompt: string, value = ''): Promise<number | undefined> {
  const answer = await vscode.window.showInputBox({ title, prompt, value, validateInput: hostPortProblem });
  return answer === undefined ? undefined : Number(answer);
}

/** No more toasts about some ports in this folder, or about any port anywhere. */
async function silencePort(context: CommandContext, argument: unknown): Promise<void> {
  const ports = await portsToSilence(context, argument);
  if (ports.length === 0) return;
  const these = ports.length === 1 ? `Port ${ports[0]}` : `Ports ${ports.join(', ')}`;
  const all = {
    label: 'All Ports',
    description: 'everywhere: the setting sketch.notifications becomes "none"',
  };
  const chosen = await vscode.window.showQuickPick([{ label: these, description: 'in this folder' }, all], {
    title: 'Don’t Show Again',
    placeHolder: 'Notifications of which ports',
  });
  if (chosen === undefined) return;
  if (chosen === all) {
    const setting = vscode.workspace.getConfiguration('sketch');
    return await setting.update('notifications', 'none', vscode.ConfigurationTarget.Global);
  }
  for (const port of ports) await context.silent.add(port);
  await context.backend.configure();
}

/** Those that a toast's link names, else the row's, else one that is asked for. */
async function portsToSilence(context: CommandContext, argument: unknown): Promise<number[]> {
  if (Array.isArray(argument)) return argument.filter(port => Number.isInteger(port));
  const target = portOf(context, argument) ?? (await askForwarded(context));
  return target === undefined ? [] : [target.port.number];
}

async function resetNotifications({ silent, backend }: CommandContext): Promise<void> {
  await silent.clear();
  const setting = vscode.workspace.getConfiguration('sketch');
  await setting.update('notifications', undefined, vscode.ConfigurationTarget.Global);
  await backend.configure();
}
