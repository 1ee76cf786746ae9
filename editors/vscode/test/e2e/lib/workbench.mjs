// A real VS Code workbench (code-server in Chromium) with the packaged extension in it, driven by Playwright.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from './eventually.mjs';

const toolchain = process.env.E2E_TOOLCHAIN;
const codeServer = path.join(toolchain, 'node_modules/code-server/out/node/entry.js');
const { chromium } = createRequire(path.join(toolchain, 'package.json'))('playwright-core');

/** Quiet: no welcome page, no chat, no experiments, no requests to the internet. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'remote.autoForwardPorts': false,
  'security.workspace.trust.banner': 'never',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'window.commandCenter': false,
  'terminal.integrated.gpuAcceleration': 'off', // so that its text can be read from the page
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.enableExperiments': false,
  'workbench.layoutControl.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Installs a .vsix into a directory of extensions; each workbench can be given that directory. */
export async function installExtension(vsix, extensions) {
  const home = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-install-'));
  try {
    const install = runCodeServer(home, extensions, process.env, ['--install-extension', vsix], 'pipe');
    let output = '';
    install.stdout.on('data', chunk => (output += chunk));
    install.stderr.on('data', chunk => (output += chunk));
    const [code] = await once(install, 'close');
    if (code !== 0) throw new Error(`installing ${vsix}: ${output}`);
  } finally {
    rmSync(home, { recursive: true });
  }
}

function runCodeServer(home, extensions, env, args, stdio) {
  const dirs = ['--config', path.join(home, 'config.yaml'), '--user-data-dir', path.join(home, 'data')];
  return spawn(
    path.join(toolchain, 'bin/node'),
    [codeServer, ...dirs, '--extensions-dir', extensions, ...args],
    {
      // Without a gallery it asks no marketplace for anything.
      env: {
        ...env,
        HOME: home,
        EXTENSIONS_GALLERY: '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}',
      },
      detached: true,
      stdio,
    },
  );
}

/** A port that is free now; code-server cannot be told to choose one and say which. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Workbench {
  /** Home directory of the server and of everything that it starts. */
  home = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-'));
  #folder;
  #trusted = true;
  #server;
  #browser;
  #context;
  #port;
  /** The page of the window that is open. */
  page;

  /**
   * Starts a server with `env` for its extensions, and opens a window on `folder`. The `proposed` extensions, by their ids, may use
   * proposed API.
   */
  static async open({
    folder,
    env = {},
    settings = {},
    trusted = true,
    proposed = [],
    extensions = process.env.E2E_EXTENSIONS,
  }) {
    const workbench = new Workbench();
    workbench.#trusted = trusted;
    try {
      workbench.configure(settings);
      const server = [extensions, { ...process.env, ...env }, proposed];
      await workbench.#start(folder, ...server);
      await workbench.openWindow();
      return workbench;
    } catch (error) {
      await workbench.close();
      throw error;
    }
  }

  async #start(folder, extensions, env, proposed) {
    this.#folder = folder;
    this.#port = await freePort();
    const log = openSync(path.join(this.home, 'server.log'), 'a');
    const args = ['--auth', 'none', '--bind-addr', `127.0.0.1:${this.#port}`, '--disable-telemetry'];
    const quiet = [
      '--disable-update-check',
      '--disable-getting-started-override',
      ...(this.#trusted ? ['--disable-workspace-trust'] : []),
      ...proposed.map(id => `--enable-proposed-api=${id}`),
    ];
    // Windows that closed are not waited for.
    const brief = ['--reconnection-grace-time', '1'];
    this.#server = runCodeServer(
      this.home,
      extensions,
      env,
      [...args, ...quiet, ...brief],
      ['ignore', log, log],
    );
    const health = `http://127.0.0.1:${this.#port}/healthz`;
    await eventually('code-server answers', async () => (await fetch(health)).ok);
    this.#browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
      ],
    });
    this.#context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 } });
    await this.#context.grantPermissions(['clipboard-read', 'clipboard-write']);
    this.#context.setDefaultTimeout(60_000);
  }

  /** Writes the settings of the machine, and of the user; windows that are opened from now on have them. */
  configure(settings, user = {}) {
    // A code-server window is a remote one: settings of machine scope are read from the machine's file only.
    for (const [scope, values] of [
      ['User', { ...quietSettings, ...user }],
      ['Machine', settings],
    ]) {
      const directory = path.join(this.home, 'data', scope);
      mkdirSync(directory, { recursive: true });
      writeFileSync(path.join(directory, 'settings.json'), JSON.stringify(values));
    }
  }

  /** Opens a window on the folder. */
  async openWindow() {
    this.page = await this.#context.newPage();
    await this.page.goto(`http://127.0.0.1:${this.#port}/?folder=${encodeURI(this.#folder)}`);
    await this.page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    await this.statusItem.waitFor({ timeout: 60_000 });
  }

  /** Closes the window as a user does, so that its extension host ends. */
  async closeWindow() {
    await this.page.close({ runBeforeUnload: true });
  }

  async close() {
    await this.#browser?.close();
    const server = this.#server;
    if (server?.pid !== undefined && server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      process.kill(-server.pid, 'SIGTERM');
      await exited;
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  /** Our status bar item. */
  get statusItem() {
    return this.page.locator('.statusbar-item[id="sketch-ide.sketch-ide.sketch.status"]');
  }

  /** A notification with the text, as a toast. */
  toast(text) {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  get quickInput() {
    return this.page.locator('.quick-input-widget input:visible').first();
  }

  get quickRows() {
    return this.page.locator('.quick-input-list .monaco-list-row');
  }

  /** The folder that is open, as an absolute path. */
  get folder() {
    return this.#folder;
  }

  /** Runs a command by its title in the palette. */
  async run(title) {
    await this.#quickOpen('F1', `>${title}`, title);
  }

  /** Whatever takes the focus while a window settles closes the palette: then it is opened once more. */
  async #quickOpen(key, text, row) {
    await eventually(`${row} in the list`, async () => {
      await this.page.keyboard.press(key);
      await this.quickInput.fill(text, { timeout: 5000 });
      await this.quickRows.filter({ hasText: row }).first().click({ timeout: 5000 });
      return true;
    }).catch(async error => {
      await this.screenshot('failed'); // to see what was in the way
      throw error;
    });
  }

  /** Opens a view container of the activity bar. */
  async openView(title) {
    const labels = [`[aria-label="${title}"]`, `[aria-label^="${title} - "]`, `[aria-label^="${title} ("]`];
    const label = labels.map(suffix => `.action-label${suffix}`).join();
    // A badge may lie over the label.
    await this.page
      .locator('.activitybar li.action-item', { has: this.page.locator(label) })
      .first()
      .click();
  }

  /** A section of the side bar. */
  pane(title) {
    return this.page.locator('.pane', { has: this.page.locator(`.pane-header[aria-label^="${title}"]`) });
  }

  /** The document of the webview that has `selector` in it. */
  async webview(selector) {
    const frame = await eventually('the webview', async () => {
      for (const candidate of this.page.frames()) {
        if ((await candidate.locator(selector).count()) > 0) return candidate;
      }
      return undefined;
    });
    return frame;
  }

  /** Waits until what `selector` names in a webview has the keyboard. */
  async focused(frame, selector) {
    await eventually(`${selector} has the focus`, () =>
      frame.evaluate(wanted => document.hasFocus() && document.activeElement?.matches(wanted), selector),
    );
  }

  /** Writes a comment on a line of the right side of the diff editor. */
  async commentOn(line, text) {
    const editor = this.page.locator('.editor.modified');
    const input = editor.locator('.review-widget .monaco-editor');
    // Whatever takes the focus while the editor settles takes it from the line, too.
    await eventually('a comment’s editor', async () => {
      await editor.locator('.view-lines').click({ timeout: 5000 });
      await this.page.keyboard.press('Control+Home');
      for (let at = 1; at < line; at++) await this.page.keyboard.press('ArrowDown');
      await this.page.keyboard.press('F1');
      await this.quickInput.fill('>Comments: Add Comment on Current Selection', { timeout: 5000 });
      const row = this.quickRows.filter({ hasText: 'Add Comment on Current Selection' }).first();
      await row.click({ timeout: 5000 });
      await input.waitFor({ timeout: 5000 });
      return true;
    });
    await this.page.keyboard.type(text);
    await editor.locator('.review-widget').getByRole('button', { name: 'Add Comment' }).click();
  }

  /** Chooses a colour theme. */
  async theme(name) {
    await this.run('Preferences: Color Theme');
    await this.quickRows.first().waitFor();
    await this.quickInput.fill(name);
    await this.quickRows.filter({ hasText: name }).first().click();
    await this.quickInput.waitFor({ state: 'hidden' });
  }

  /** Says how much a channel of the Output view logs. */
  async logLevel(channel, level) {
    await this.run('Developer: Set Log Level');
    // The second list takes the place of the first, which has no such row.
    for (const row of [channel, level]) {
      await this.quickInput.fill(row);
      await this.quickRows.filter({ hasText: row }).first().click();
    }
    await this.quickInput.waitFor({ state: 'hidden' });
  }

  /** Opens a file of the folder in the editor. */
  async openFile(name) {
    await this.#quickOpen('Control+P', name, name);
    await this.page.locator('.tab', { hasText: name }).waitFor();
  }

  /**
   * Waits for a page that the workbench opens in the browser, while `action` makes it do so. code-server, being remote,
   * shows http://localhost:3000/ by its own proxy as /proxy/3000/.
   */
  async opened(action) {
    const [popup] = await Promise.all([this.#context.waitForEvent('page'), action()]);
    await popup.waitForLoadState();
    return popup;
  }

  get dialog() {
    return this.page.locator('.monaco-dialog-box');
  }

  /** Follows a link to an extension, as if the operating system had handed it over. */
  async follow(link) {
    await this.run('Developer: Open URL');
    await eventually('the box for the link', async () => (await this.quickRows.count()) === 0);
    await this.quickInput.fill(link);
    await this.page.keyboard.press('Enter');
  }

  /** Puts a picture into the clipboard. */
  async copyPicture(base64) {
    await this.page.evaluate(async data => {
      const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
      const blob = new Blob([bytes], { type: 'image/png' });
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
    }, base64);
  }

  clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** What the extension and the backend wrote to the output channel "Sketch". */
  outputLog() {
    const logs = path.join(this.home, 'data/logs');
    return readdirSync(logs, { recursive: true })
      .filter(name => name.endsWith('Sketch.log'))
      .map(name => readFileSync(path.join(logs, name), 'utf8'))
      .join('');
  }

  /** Saves what is on the screen as an artefact, once nothing moves. */
  async screenshot(name) {
    await this.page.evaluate(async () => {
      const moving = document
        .getAnimations()
        .filter(animation => animation.effect.getTiming().iterations === 1);
      await Promise.allSettled(moving.map(animation => animation.finished));
    });
    await this.page.screenshot({ path: path.join(process.env.E2E_ARTIFACTS, `vscode-${name}.png`) });
  }
}
