// What the tree views share: a row as a tree item, and a provider that is told when to ask again.

import * as vscode from 'vscode';
import type { Row } from './rows';

export function treeItem(row: Row, children = vscode.TreeItemCollapsibleState.None): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, children);
  item.description = row.description;
  item.iconPath = new vscode.ThemeIcon(
    row.icon,
    row.color === undefined ? undefined : new vscode.ThemeColor(row.color),
  );
  item.tooltip = factsTooltip(row.facts);
  item.contextValue = row.context;
  item.accessibilityInformation = { label: row.accessible };
  return item;
}

/** Names and reasons come from the container: text, never markup. */
function factsTooltip(facts: Row['facts']): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  for (const [name, value] of facts) {
    markdown.appendMarkdown(`**${name}** `);
    markdown.appendText(value);
    markdown.appendMarkdown('\n\n');
  }
  return markdown;
}

/** A tree, flat unless getChildren says otherwise, whose elements are recomputed as a whole. */
export abstract class ListProvider<T> implements vscode.TreeDataProvider<T>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;

  abstract rows(): T[] | Promise<T[]>;
  abstract getTreeItem(element: T): vscode.TreeItem;

  getChildren(element?: T): T[] | Promise<T[]> {
    return element === undefined ? this.rows() : [];
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
