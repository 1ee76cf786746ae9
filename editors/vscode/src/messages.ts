// Errors as notifications.

import * as vscode from 'vscode';
import { errorText, userError } from './errors';
import { plainText } from './plainText';

/** Shows an error with its hint, and buttons to try again (where that may help) and to read the log. */
export async function showError(
  error: unknown,
  log: vscode.LogOutputChannel,
  retry?: () => unknown,
): Promise<void> {
  const known = userError(error);
  if (known === undefined) return;
  log.error(known.kind === '' ? known.message : `${known.kind}: ${known.message}`);
  const buttons = [...(known.retryable && retry !== undefined ? ['Try Again'] : []), 'Show Log'];
  switch (await vscode.window.showErrorMessage(plainText(errorText(known)), ...buttons)) {
    case 'Try Again':
      await retry?.();
      break;
    case 'Show Log':
      log.show();
      break;
  }
}
