// The test's end of test/stub/sketch-ide.mjs.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from './eventually.mjs';

export class Stub {
  directory = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-stub-'));

  /** Environment that makes the extension run the stub. */
  env(more = {}) {
    const executable = new URL('../../stub/sketch-ide.mjs', import.meta.url).pathname;
    return { SKETCH_IDE_SERVER: executable, STUB_DIR: this.directory, ...more };
  }

  /** All messages that it received. */
  record() {
    const file = path.join(this.directory, 'record.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line));
  }

  /** Process ids of all starts, in order. */
  starts() {
    return this.record().flatMap(entry => entry.started ?? []);
  }

  /** Waits for a message that was received. */
  received(what, matches) {
    return eventually(what, () => this.record().find(matches));
  }

  /** Tells the stub to do something. */
  async tell(control) {
    await eventually('the stub takes a control message', () => {
      const socket = net.connect(path.join(this.directory, 'control.sock'));
      return new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('data', () => socket.end(resolve(true)));
        if (control.op === 'exit') socket.once('close', () => resolve(true));
        socket.write(`${JSON.stringify(control)}\n`);
      });
    });
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
