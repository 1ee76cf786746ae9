// The settings as the backend gets them: only those that mean something to it, and only where the user set them, so that
// a repository's devcontainer.json keeps its say.

/** Settings of the extension itself, which the backend has no business with. */
export const clientSettings: readonly string[] = ['autoStart', 'serverPath', 'trace.server'];

/** The part of package.json that contributes the settings. */
export interface Manifest {
  readonly contributes: {
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
  };
}

/** The names of all settings, without "sketch.". */
export function settingNames({ contributes }: Manifest): string[] {
  return Object.keys(contributes.configuration.properties).map(name => name.replace(/^sketch\./, ''));
}

/** `read` returns a setting's value with defaults applied; about silent ports no toast is wanted. */
export function collectSettings(
  names: readonly string[],
  read: (name: string) => unknown,
  silentPorts: readonly number[] = [],
): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of names) {
    const value = read(name);
    if (!clientSettings.includes(name) && !isEmpty(value)) settings[name] = value;
  }
  if (silentPorts.length > 0)
    settings['portsAttributes'] = silenced(settings['portsAttributes'], silentPorts);
  return settings;
}

function silenced(attributes: unknown, ports: readonly number[]): Record<string, unknown> {
  const all = { ...(attributes as Record<string, object> | undefined) };
  for (const port of ports) all[port] = { ...all[port], onAutoForward: 'silent' };
  return all;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
