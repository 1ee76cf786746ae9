// A model's server that follows a script (internal/fakellm of this repository), built and started for a test.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const root = new URL('../../../../..', import.meta.url).pathname;

export const modelKey = 'key-of-the-e2e-test';

/** Starts a server that plays `steps`, request by request, to who brings the key. */
export async function startModel(steps) {
  const directory = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-model-'));
  const executable = path.join(directory, 'model');
  execFileSync('go', ['build', '-o', executable, './internal/fakellm/serve'], {
    cwd: root,
    stdio: 'inherit',
  });
  const scenario = path.join(directory, 'guestbook.json');
  writeFileSync(scenario, JSON.stringify({ title: 'guest book', steps }));
  const server = spawn(executable, ['-key', modelKey, scenario], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = await Promise.race([
    createInterface({ input: server.stdout })
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [value]),
    new Promise((_, reject) =>
      server.once('exit', code => reject(new Error(`the model's server ended: ${code}`))),
    ),
  ]);
  return {
    /** For the setting sketch.models. */
    setting: {
      name: 'scripted',
      provider: 'anthropic',
      model: 'guestbook',
      baseUrl: url,
      apiKeyEnv: 'SKETCH_E2E_KEY',
      contextWindow: 200_000,
      prices: { input: 3, output: 15 },
    },
    stop: () => {
      server.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
