// The settings as the backend gets them: only those that mean something to it, and only where the user set them, so that
// a repository's devcontainer.json keeps its say.

/** Names of `sketch.*` settings that are sent, as they stand in package.json and in the protocol. */
export const backendSettings = [
  'baseImage',
  'notifications',
  'forwardPorts',
  'portsAttributes',
  'otherPortsAttributes',
  'autoForwardPorts',
  'sshConfig',
  'forwardAgent',
] as const;

export type BackendSettings = Partial<Record<(typeof backendSettings)[number], unknown>>;

/** `read` returns a setting's value with defaults applied. */
export function collectSettings(read: (name: string) => unknown): BackendSettings {
  const settings: BackendSettings = {};
  for (const name of backendSettings) {
    const value = read(name);
    if (!isEmpty(value)) settings[name] = value;
  }
  return settings;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
