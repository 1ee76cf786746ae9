// Bundles test/unit/*.test.ts and runs them with `node --test`: whatever imports `vscode` cannot be tested here, and the
// bundler says so, because it does not know such a module.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const out = 'dist/test';
rmSync(out, { recursive: true, force: true });
const names = readdirSync('test/unit').filter(name => name.endsWith('.test.ts'));
await build({
  entryPoints: names.map(name => `test/unit/${name}`),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const files = names.map(name => `${out}/${name.replace(/\.ts$/, '.mjs')}`);
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', ...process.argv.slice(2), ...files],
  {
    stdio: 'inherit',
  },
);
process.exit(run.status ?? 1);
