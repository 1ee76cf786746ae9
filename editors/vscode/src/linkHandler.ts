// What a link does, once it is read.

import * as vscode from 'vscode';
import type { CommandContext } from './commands/context';
import { parseLink } from './links';
import { ServerError } from './server';

export async function openLink({ window, chat, backend }: CommandContext, uri: vscode.Uri): Promise<void> {
  const link = parseLink(uri.path, uri.query);
  switch (link?.kind) {
    case 'chat':
      return await chat.show(link.text);
    case 'port': {
      const target = window.ports().find(({ port }) => port.number === link.port);
      if (target === undefined) throw new ServerError(`Port ${link.port} is not open.`, '');
      await backend.execute('sketch.openPort', { session: target.session, port: link.port });
      return;
    }
    case 'changes':
    case 'sessions':
      await vscode.commands.executeCommand(`sketch.${link.kind}.focus`);
      return;
    default:
      throw new ServerError('The link means nothing to Sketch.', 'It may be for a newer version.');
  }
}
