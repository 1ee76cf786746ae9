#!/usr/bin/env node
// A stand-in for the sketch-ide backend, for what the real one cannot be made to do on demand: to hang, to crash, to build
// for as long as a test wants. It speaks the protocol of src/protocol.ts and does what a test tells it through a socket.
//
//   STUB_DIR  where it puts `record.jsonl` (each message it received) and `control.sock`
//
// Control messages, one JSON object a line:
//
//   {"op":"port","port":{…}}         opens a port and toasts
//   {"op":"session","session":{…}}   changes the session
//   {"op":"hold"}                    makes sketch.start wait for {"op":"continue"} or a cancel
//   {"op":"send","message":{…}}      sends any JSON-RPC message
//   {"op":"branch","branch":{…}}     changes the branch; {"op":"agent","status":{…}} how the agent stands
//   {"op":"conflict","paths":[…]}    lets merges conflict
//   {"op":"exit","code":1}           ends

import { appendFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createAgent } from './agent.mjs';
import { createBranch } from './branch.mjs';

const name = 'sketch-stub-otter';
const actions = [
  { title: 'Open in Browser', action: 'open' },
  { title: 'Preview', action: 'preview' },
  { title: 'Copy URL', action: 'copyUrl' },
  { title: 'Stop Forwarding', action: 'stop' },
];

const [command] = process.argv.slice(2);
if (command === 'version') {
  console.log(JSON.stringify({ version: '0.1.0', protocol: 1 }));
} else {
  serve(process.env.STUB_DIR ?? process.cwd());
}

function serve(directory) {
  let client = {};
  let style = 'message';
  let ids = 0;
  let shutdown = false;
  let holding = false;
  let held;
  const ports = new Map();
  const pending = new Map();
  let session = { name, folder: '', state: 'stopped', owner: true, ssh: name };

  const record = entry => appendFileSync(path.join(directory, 'record.jsonl'), `${JSON.stringify(entry)}\n`);
  record({ started: process.pid, argv: process.argv.slice(2) });
  console.error('time=2026-01-01T00:00:00Z level=INFO msg="stub is listening" args=serve');

  const send = message => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const notify = (method, params) => send({ method, params });
  const request = (method, params) => {
    const id = `stub-${++ids}`;
    send({ id, method, params });
    return new Promise(resolve => pending.set(id, resolve));
  };
  const rich = () => client.capabilities?.experimental?.sketch !== undefined;

  const tellSession = change => {
    session = { ...session, ...change };
    if (rich()) notify('$/sketch/session', session);
    return session;
  };
  const tellPorts = () => {
    if (rich()) notify('$/sketch/ports', { session: name, owner: true, ports: [...ports.values()] });
  };
  const setPort = (number, change) => {
    ports.set(number, { ...ports.get(number), ...change });
    tellPorts();
    return ports.get(number);
  };

  async function toast(port) {
    const mapped = port.hostPort !== port.number ? ` to ${port.hostPort} (${port.reason})` : '';
    const message = `Port ${port.number}${port.process ? ` (${port.process})` : ''} forwarded${mapped}`;
    if (style !== 'actions') return notify('window/showMessage', { type: 3, message });
    const about = { session: name, port: port.number, url: port.url };
    const items = actions.map(action => ({ ...action, ...about }));
    const chosen = await request('window/showMessageRequest', { type: 3, message, actions: items });
    if (chosen?.action === 'open') await request('window/showDocument', { uri: port.url, external: true });
    if (chosen?.action === 'stop') setPort(port.number, { status: 'stopped' });
  }

  async function start({ folder = '' } = {}) {
    const token = `task-${++ids}`;
    await request('window/workDoneProgress/create', { token });
    const progress = value => notify('$/progress', { token, value });
    progress({
      kind: 'begin',
      title: 'Starting session',
      message: 'building image',
      cancellable: true,
      percentage: 0,
    });
    tellSession({ folder, state: 'starting' });
    progress({ kind: 'report', message: 'step 3/7', percentage: 40 });
    const go = holding ? await new Promise(resolve => (held = resolve)) : true;
    progress({ kind: 'end' });
    if (go) {
      const connected = tellSession({ state: 'connected', created: new Date().toISOString() });
      branch.attached();
      agent.attached();
      return connected;
    }
    tellSession({ state: 'stopped' });
    throw { code: -32800, message: 'cancelled', data: { kind: 'cancelled', retryable: false } };
  }

  const tell = (method, params) => rich() && notify(method, params);
  const agent = createAgent({ session: name, tell });
  const branch = createBranch({ session: name, tell, prompt: agent.prompt });

  const commands = {
    ...agent.commands,
    ...branch.commands,
    'sketch.start': start,
    'sketch.stop': () => {
      ports.clear();
      tellPorts();
      tellSession({ state: 'stopped' });
      return null;
    },
    'sketch.sessions': () => ({ sessions: session.state === 'stopped' ? [] : [session] }),
    'sketch.ports': () => ({ session: name, ports: [...ports.values()] }),
    'sketch.openPort': async ({ port }) => {
      const found = ports.get(port);
      if (found === undefined) {
        throw {
          code: 1301,
          message: `port ${port} is not open`,
          data: { kind: 'noPort', hint: '', retryable: false },
        };
      }
      await request('window/showDocument', { uri: found.url, external: true });
      return { url: found.url, port: found };
    },
    'sketch.forward': ({ port, hostPort = ports.get(port)?.hostPort ?? port }) => {
      const url = `http://localhost:${hostPort}/`;
      const known = { number: port, action: 'notify', addresses: ['127.0.0.1'] };
      return setPort(port, {
        ...known,
        ...ports.get(port),
        hostPort,
        url,
        status: 'forwarded',
        reason: undefined,
      });
    },
    'sketch.unforward': ({ port }) => {
      setPort(port, { status: 'stopped' });
      return null;
    },
    'sketch.status': () => ({
      version: '0.1.0',
      engine: 'Stub 1.0',
      sessions: [session],
      ports: [...ports.values()],
    }),
    'sketch.doctor': () => ({
      ok: true,
      checks: [{ name: 'container engine', ok: true, detail: 'Stub 1.0' }],
    }),
    'sketch.logs': () => ({ session: name, lines: ['level=INFO msg="the stub has no agent inside"'] }),
    'sketch.openRemote': () => ({
      uri: `vscode-remote://ssh-remote+${name}/workspaces/app`,
      host: name,
      workspace: '/workspaces/app',
      included: false,
    }),
    'sketch.sshConfig': ({ action = 'status' }) => ({
      installed: action === 'install',
      file: '~/.ssh/config',
      line: 'Include ~/.config/sketch-ide/ssh_config',
      changed: action === 'install',
    }),
    'sketch.ssh': () => ({ host: name, command: `ssh ${name}`, workspace: '/workspaces/app' }),
  };

  async function answer({ method, params }) {
    switch (method) {
      case 'initialize':
        client = params;
        style = params.initializationOptions?.notifications ?? 'message';
        return {
          capabilities: {
            textDocumentSync: { openClose: false, change: 0 },
            executeCommandProvider: { commands: Object.keys(commands) },
            experimental: { sketch: { version: 1 } },
          },
          serverInfo: { name: 'sketch-ide', version: '0.1.0' },
        };
      case 'shutdown':
        shutdown = true;
        return null;
      case 'workspace/executeCommand': {
        const run = commands[params.command];
        if (run === undefined) throw { code: -32602, message: `unknown command ${params.command}` };
        return await run(params.arguments?.[0] ?? {});
      }
      default:
        throw { code: -32601, message: `unknown method ${method}` };
    }
  }

  function receive(message) {
    record(message);
    const { id, method, params } = message;
    if (method === undefined) {
      pending.get(id)?.(message.result);
      pending.delete(id);
    } else if (id !== undefined) {
      answer(message).then(
        result => send({ id, result }),
        error => send({ id, error: error.code ? error : { code: -32603, message: String(error) } }),
      );
    } else if (method === 'exit') {
      process.exit(shutdown ? 0 : 1);
    } else if (method === 'window/workDoneProgress/cancel') {
      held?.(false);
    } else if (method === 'workspace/didChangeConfiguration') {
      style = params.settings?.sketch?.notifications ?? style;
    }
  }

  let buffer = Buffer.alloc(0);
  process.stdin.on('data', chunk => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const end = buffer.indexOf('\r\n\r\n');
      const length = Number(
        /content-length: *(\d+)/i.exec(buffer.toString('latin1', 0, Math.max(end, 0)))?.[1],
      );
      if (end < 0 || buffer.length < end + 4 + length) return;
      const body = buffer.toString('utf8', end + 4, end + 4 + length);
      buffer = buffer.subarray(end + 4 + length);
      receive(JSON.parse(body));
    }
  });
  process.stdin.on('end', () => process.exit(shutdown ? 0 : 1));

  const operations = {
    ...agent.operations,
    ...branch.operations,
    port: ({ port }) => {
      const url = `http://localhost:${port.hostPort ?? port.number}/`;
      const defaults = {
        hostPort: port.number,
        url,
        status: 'forwarded',
        action: 'notify',
        addresses: ['127.0.0.1'],
      };
      void toast(setPort(port.number, { ...defaults, ...port }));
    },
    session: ({ session: change }) => tellSession(change),
    hold: () => {
      holding = true;
    },
    continue: () => held?.(true),
    exit: ({ code }) => {
      console.error('time=2026-01-01T00:00:00Z level=ERROR msg="the stub was told to crash"');
      process.exit(code);
    },
    send: ({ message }) => send(message),
  };
  const socket = path.join(directory, 'control.sock');
  rmSync(socket, { force: true });
  net
    .createServer(connection => {
      let text = '';
      connection.on('data', chunk => {
        text += chunk;
        const lines = text.split('\n');
        text = lines.pop();
        for (const line of lines) {
          const control = JSON.parse(line);
          operations[control.op](control);
        }
        connection.write('ok\n');
      });
    })
    .listen(socket);
}
