// How commands are run: what one throws is shown, once.

import { showError } from '../messages';
import { pickPort } from '../pickers';
import type { CommandMap, CommandName } from '../protocol';
import type { Command, CommandContext } from './context';

/** Runs a command; what it throws is shown once. */
export async function run(command: Command, context: CommandContext, ...args: unknown[]): Promise<void> {
  try {
    await command(context, ...args);
  } catch (error) {
    void showError(error, context.log, () => run(command, context, ...args));
  }
}

/** Commands of the backend that mean nothing without a port; a key binding may come without. */
const wantsPort: CommandName[] = ['sketch.openPort', 'sketch.unforward', 'sketch.forward'];

/** A command of the backend that was run by its own id: a key binding, another extension, a code action. */
export async function runBackendCommand(
  context: CommandContext,
  name: CommandName,
  args: unknown[],
): Promise<unknown> {
  try {
    // What others pass is not ours to check: the backend is lenient, and refuses with a sentence.
    const given = args[0] as CommandMap[typeof name]['params'];
    if (given !== undefined || !wantsPort.includes(name)) return await context.backend.execute(name, given);
    const target = await pickPort(context.window.ports(), 'Choose a port');
    if (target === undefined) return undefined;
    return await context.backend.execute(name, { session: target.session, port: target.port.number });
  } catch (error) {
    void showError(error, context.log);
    return undefined;
  }
}
