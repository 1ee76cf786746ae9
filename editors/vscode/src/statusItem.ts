// The status bar item.

import * as vscode from 'vscode';
import type { StatusView } from './status';

/** Command links that the tooltip may carry. */
const tooltipCommands = ['sketch.showPorts', 'sketch.showStatus', 'sketch.showLog'];

export function createStatusItem(): vscode.StatusBarItem {
  const item = vscode.window.createStatusBarItem('sketch.status', vscode.StatusBarAlignment.Left, 50);
  item.name = 'Sketch';
  item.command = 'sketch.showActions';
  return item;
}

export function showStatusView(item: vscode.StatusBarItem, view: StatusView): void {
  item.text = view.text;
  item.tooltip = tooltip(view);
  item.accessibilityInformation = { label: view.accessible, role: 'button' };
  item.backgroundColor =
    view.health === 'warning' ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  item.show();
}

function tooltip(view: StatusView): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString(undefined, false);
  markdown.isTrusted = { enabledCommands: tooltipCommands };
  for (const line of view.tooltip) {
    // Names and reasons come from the container: text, never markup.
    markdown.appendText(line);
    markdown.appendMarkdown('\n\n');
  }
  markdown.appendMarkdown(
    '[Ports](command:sketch.showPorts) · [Status](command:sketch.showStatus) · [Log](command:sketch.showLog)',
  );
  return markdown;
}
