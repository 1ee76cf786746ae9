// Bundles the extension into dist/extension.js, and the chat's page into dist/chat.js and dist/chat.css. `--watch` rebuilds on
// change.
import { context } from 'esbuild';

const shared = {
  bundle: true,
  minify: !process.argv.includes('--dev'),
  sourcemap: process.argv.includes('--dev') ? 'inline' : false,
  logLevel: 'warning',
};
const bundles = await Promise.all([
  context({
    ...shared,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode'],
  }),
  context({
    ...shared,
    entryPoints: [
      { in: 'src/webview/main.ts', out: 'chat' },
      { in: 'src/webview/chat.css', out: 'chat' },
    ],
    outdir: 'dist',
    platform: 'browser',
    format: 'iife',
    target: 'chrome120',
  }),
]);
for (const bundle of bundles) {
  if (process.argv.includes('--watch')) await bundle.watch();
  else await bundle.rebuild();
}
if (!process.argv.includes('--watch')) for (const bundle of bundles) await bundle.dispose();
