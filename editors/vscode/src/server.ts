// Finding the backend executable and asking it for its version.

import { type ExecFileException, execFile } from 'node:child_process';
import path from 'node:path';

/** Where a backend was found, in the order in which the places are tried. */
export type ServerSource = 'setting' | 'environment' | 'bundled' | 'path';

export interface Server {
  readonly path: string;
  readonly source: ServerSource;
}

export interface SearchPlaces {
  /** The setting `sketch.serverPath`; empty when not set. */
  readonly setting: string;
  /** The process's environment: `SKETCH_IDE_SERVER`, `PATH`, `HOME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The directory of the extension, which has `server/sketch-ide` in a release. */
  readonly extensionPath: string;
  readonly platform: NodeJS.Platform;
  readonly isExecutable: (file: string) => boolean;
}

/** Why there is no usable backend; `message` and `hint` are for people. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/**
 * Finds the backend: setting, environment, bundled, PATH. What a user named explicitly is taken or is an error: to run
 * another executable than the one that was asked for would hide the mistake.
 *
 * @throws ServerError
 */
export function findServer(places: SearchPlaces): Server {
  const named: [ServerSource, string, string][] = [
    ['setting', places.setting, 'setting sketch.serverPath'],
    ['environment', places.environment['SKETCH_IDE_SERVER'] ?? '', 'environment variable SKETCH_IDE_SERVER'],
  ];
  for (const [source, value, what] of named) {
    if (value.trim() === '') continue;
    const file = resolve(value.trim(), places);
    if (file === undefined) {
      throw new ServerError(
        `The ${what} names ${value.trim()}, which is not an executable file.`,
        'Correct it, or clear it to use the bundled backend.',
      );
    }
    return { path: file, source };
  }

  const join = pathModule(places.platform).join;
  const bundled = join(places.extensionPath, 'server', executableName(places.platform));
  if (places.isExecutable(bundled)) return { path: bundled, source: 'bundled' };

  const onPath = lookUp('sketch-ide', places);
  if (onPath !== undefined) return { path: onPath, source: 'path' };

  throw new ServerError(
    'The sketch-ide backend was not found.',
    'Install it on PATH, or name it in the setting sketch.serverPath.',
  );
}

function resolve(value: string, places: SearchPlaces): string | undefined {
  const { isAbsolute, join } = pathModule(places.platform);
  const home = places.environment['HOME'] ?? places.environment['USERPROFILE'];
  const file = value.startsWith('~/') && home !== undefined ? join(home, value.slice(2)) : value;
  if (isAbsolute(file)) return places.isExecutable(file) ? file : undefined;
  // A relative path would depend on the folder that happens to be open; only a bare name means PATH.
  return /[\\/]/.test(file) ? undefined : lookUp(file, places);
}

function lookUp(name: string, places: SearchPlaces): string | undefined {
  const { delimiter, isAbsolute, join } = pathModule(places.platform);
  const suffixed = name.endsWith('.exe') ? name : executableName(places.platform, name);
  return (places.environment['PATH'] ?? places.environment['Path'] ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map(directory => join(directory, suffixed))
    .find(places.isExecutable);
}

function executableName(platform: NodeJS.Platform, name = 'sketch-ide'): string {
  return platform === 'win32' ? `${name}.exe` : name;
}

function pathModule(platform: NodeJS.Platform): path.PlatformPath {
  return platform === 'win32' ? path.win32 : path.posix;
}

/** How long `sketch-ide version --json` may take; a cold disk needs a second, a wrong program may never answer. */
export const probeTimeoutMs = 5000;

/** What `sketch-ide version --json` says. */
export interface ServerVersion {
  readonly version: string;
  /** The version of the `experimental.sketch` protocol. */
  readonly protocol?: number;
}

/**
 * Runs `sketch-ide version --json`. It tells a wrong, broken or hanging executable apart before the protocol starts, where
 * all of them would look the same.
 *
 * @throws ServerError
 */
export function probeVersion(file: string, timeoutMs = probeTimeoutMs): Promise<ServerVersion> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 } as const;
    execFile(file, ['version', '--json'], options, (error, stdout, stderr) => {
      if (error !== null) return reject(probeError(file, error, stderr, timeoutMs));
      const version = parseVersion(stdout);
      if (version !== undefined) return resolve(version);
      reject(
        new ServerError(
          `${file} answered without a version.`,
          'Is it sketch-ide? Correct the setting sketch.serverPath.',
        ),
      );
    });
  });
}

function probeError(file: string, error: ExecFileException, stderr: string, timeoutMs: number): ServerError {
  if (error.killed) {
    return new ServerError(
      `${file} did not answer "version --json" within ${timeoutMs / 1000} s.`,
      'Is it sketch-ide? Correct the setting sketch.serverPath.',
    );
  }
  const lastLine = stderr.trim().split('\n').at(-1);
  const detail = lastLine || (error.signal ? `signal ${error.signal}` : `exit ${error.code}`);
  return new ServerError(
    `${file} could not be started: ${detail}.`,
    'Install sketch-ide anew for this platform.',
  );
}

function parseVersion(stdout: string): ServerVersion | undefined {
  try {
    const { version, protocol } = JSON.parse(stdout) as Record<string, unknown>;
    if (typeof version !== 'string' || version === '') return undefined;
    return typeof protocol === 'number' ? { version, protocol } : { version };
  } catch {
    return undefined;
  }
}

/** A sentence when the backend speaks another version of the protocol than this extension, else undefined. */
export function protocolMismatch(own: number, server: ServerVersion): string | undefined {
  const theirs = server.protocol;
  if (theirs === undefined || theirs === own) return undefined;
  const advice = theirs > own ? 'Update the Sketch extension.' : 'Update sketch-ide.';
  return `sketch-ide ${server.version} speaks version ${theirs} of the protocol, this extension version ${own}. ${advice}`;
}
