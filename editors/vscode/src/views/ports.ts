// The Ports view.

import * as vscode from 'vscode';
import { forwardedPorts, type SessionPort } from '../model';
import type { WindowModel } from '../window';
import { count } from '../words';
import { portTreeRow } from './rows';
import { ListProvider, treeItem } from './tree';

class PortsProvider extends ListProvider<SessionPort> {
  readonly #window: WindowModel;

  constructor(window: WindowModel) {
    super();
    this.#window = window;
  }

  rows(): SessionPort[] {
    return this.#window.ports();
  }

  getTreeItem({ session, port }: SessionPort): vscode.TreeItem {
    const item = treeItem(portTreeRow(port));
    item.id = `${session}:${port.number}`; // keeps the selection while the row changes
    return item;
  }
}

/** Shows the ports of this window's sessions; its badge counts those that are forwarded. */
export function createPortsView(window: WindowModel): vscode.Disposable {
  const provider = new PortsProvider(window);
  const view = vscode.window.createTreeView('sketch.ports', { treeDataProvider: provider });
  const refresh = (): void => {
    provider.refresh();
    const forwarded = forwardedPorts(window.value).length;
    view.badge =
      forwarded === 0 ? undefined : { value: forwarded, tooltip: `${count(forwarded, 'forwarded port')}` };
  };
  return vscode.Disposable.from(provider, view, window.onDidChange(refresh));
}
