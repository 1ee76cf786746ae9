// Quick picks: ports with their buttons, folders, the actions behind the status bar item.

import * as vscode from 'vscode';
import { localFolders } from './backend';
import type { SessionPort } from './model';
import { type PortChoice, portRow } from './ports';

interface PortItem extends vscode.QuickPickItem {
  readonly target: SessionPort;
  readonly choices: readonly PortChoice[];
}

interface ChoiceButton extends vscode.QuickInputButton {
  readonly choice: PortChoice;
}

const choiceButtons: Record<PortChoice, ChoiceButton> = {
  open: { choice: 'open', iconPath: new vscode.ThemeIcon('globe'), tooltip: 'Open in Browser' },
  preview: {
    choice: 'preview',
    iconPath: new vscode.ThemeIcon('open-preview'),
    tooltip: 'Preview in Editor',
  },
  copy: { choice: 'copy', iconPath: new vscode.ThemeIcon('copy'), tooltip: 'Copy URL' },
  stop: { choice: 'stop', iconPath: new vscode.ThemeIcon('close'), tooltip: 'Stop Forwarding' },
  forward: { choice: 'forward', iconPath: new vscode.ThemeIcon('radio-tower'), tooltip: 'Forward Port' },
};

/** A source of ports that changes while a picker shows them. */
export interface PortSource {
  readonly ports: () => readonly SessionPort[];
  readonly onDidChange: vscode.Event<void>;
}

/**
 * Shows the ports with a button for each thing that can be done with one; Enter means the first. The list follows the
 * ports while it is open.
 */
export function showPorts(source: PortSource, act: (choice: PortChoice, target: SessionPort) => void): void {
  const picker = vscode.window.createQuickPick<PortItem>();
  picker.title = 'Sketch: Ports';
  picker.placeholder = 'Press Enter to open a port in the browser';
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  const refresh = (): void => {
    const active = picker.activeItems[0]?.target.port.number;
    picker.items = source.ports().map(portItem);
    picker.activeItems = picker.items.filter(item => item.target.port.number === active);
  };
  refresh();
  const following = source.onDidChange(refresh);
  const finish = (choice: PortChoice | undefined, item: PortItem | undefined): void => {
    picker.hide();
    if (choice !== undefined && item !== undefined) act(choice, item.target);
  };
  picker.onDidAccept(() => finish(picker.selectedItems[0]?.choices[0], picker.selectedItems[0]));
  picker.onDidTriggerItemButton(event => finish((event.button as ChoiceButton).choice, event.item));
  picker.onDidHide(() => {
    following.dispose();
    picker.dispose();
  });
  picker.show();
}

/** Asks for one port, or takes the only one. */
export async function pickPort(
  ports: readonly SessionPort[],
  placeHolder: string,
): Promise<SessionPort | undefined> {
  if (ports.length <= 1) return ports[0];
  const items = ports.map(target => ({ ...portItem(target), buttons: [] }));
  return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true }))?.target;
}

function portItem(target: SessionPort): PortItem {
  const row = portRow(target.port);
  return {
    target,
    choices: row.choices,
    label: `$(radio-tower) ${row.label}`,
    description: row.description,
    detail: row.detail,
    buttons: row.choices.map(choice => choiceButtons[choice]),
  };
}

/** The folder that a command means: the only one, that of the active editor, or the one that the user picks. */
export async function pickFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = localFolders();
  if (folders.length <= 1) return folders[0];
  const active = vscode.window.activeTextEditor?.document.uri;
  const home = active && vscode.workspace.getWorkspaceFolder(active);
  if (home !== undefined && folders.includes(home)) return home;
  const items = folders.map(folder => ({ label: folder.name, description: folder.uri.fsPath, folder }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'Folder to run a session for' }))?.folder;
}

export interface Action {
  readonly icon: string;
  readonly title: string;
  readonly detail?: string;
  readonly command: string;
}

/** Shows actions and runs the chosen one. */
export async function pickAction(title: string, actions: readonly Action[]): Promise<void> {
  const items = actions.map(action => ({
    label: `$(${action.icon}) ${action.title}`,
    description: action.detail ?? '',
    command: action.command,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: 'Choose an action' });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
}
