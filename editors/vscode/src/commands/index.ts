// The commands of the palette and of the menus. Their ids differ from those of the backend's commands (sketch.start,
// sketch.ports, …), which the language client registers by itself while the backend runs; these here work without it, and
// start it.

import { chatCommands } from './chat';
import type { Command } from './context';
import { portCommands } from './ports';
import { reviewCommands } from './review';
import { sessionCommands } from './sessions';
import { supportCommands } from './support';

export const commands: Readonly<Record<string, Command>> = {
  ...sessionCommands,
  ...chatCommands,
  ...reviewCommands,
  ...portCommands,
  ...supportCommands,
};
