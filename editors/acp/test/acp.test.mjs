// `sketch-ide acp`, driven by the protocol's own SDK, which checks every message against the schema; a real engine, and a model's server that follows a
// script. Environment: SKETCH_IDE_SERVER, SKETCH_IDE_BASE_IMAGE.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Readable, Writable } from 'node:stream';
import { client, methods, ndJsonStream, RequestError } from '@agentclientprotocol/sdk';

const root = join(import.meta.dirname, '../../..');
const server = process.env.SKETCH_IDE_SERVER ?? join(root, 'bin/sketch-ide');
const work = mkdtempSync(join(tmpdir(), 'acp-'));
const repository = join(work, 'shop');
const git = (...args) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
let model, env;

before(async () => {
  execFileSync('git', ['init', '-q', '-b', 'main', repository]);
  writeFileSync(join(repository, 'hello.py'), 'print("hello")\n');
  git('add', '.');
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'first');
  const fake = join(work, 'fakellm');
  execFileSync('go', ['build', '-o', fake, './internal/fakellm/serve'], { cwd: root });
  model = spawn(fake, [join(import.meta.dirname, 'scenario.json')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [address] = await once(createInterface(model.stdout), 'line');
  env = {
    ...process.env,
    XDG_STATE_HOME: join(work, 'state'),
    SKETCH_IDE_BASE_IMAGE: process.env.SKETCH_IDE_BASE_IMAGE ?? 'sketch-ide/debian:bookworm',
    SKETCH_IDE_MODEL: 'scenario',
    OPENAI_BASE_URL: `${address}/v1`,
    OPENAI_API_KEY: 'any',
  };
});

after(() => {
  model?.kill();
  for (const { name } of JSON.parse(execFileSync(server, ['ps', '--json'], { env, encoding: 'utf8' })).sessions) {
    execFileSync(server, ['rm', name], { env });
  }
  rmSync(work, { recursive: true });
});

const choosing = choice => ({ options }) => ({ outcome: { outcome: 'selected', optionId: options.find(({ name }) => name === choice).optionId } });

/**
 * connect starts the backend, hands a context and what is told to body, and waits for the backend's end. `answer` is given what is asked and a signal
 * that it is asked no more.
 */
async function connect(body, answer = choosing('blue')) {
  const backend = spawn(server, ['acp'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(backend, 'exit');
  const updates = [];
  const extensions = [];
  const asked = [];
  const app = client({ name: 'test' })
    .onNotification(methods.client.session.update, ({ params }) => {
      updates.push(params.update);
    })
    .onNotification('_sketch/branch', value => value, ({ params }) => {
      extensions.push(params);
    })
    .onNotification('_sketch/ports', value => value, () => {})
    .onRequest(methods.client.session.requestPermission, ({ params, signal }) => {
      asked.push(params);
      return answer(params, signal);
    });
  try {
    await app.connectWith(ndJsonStream(Writable.toWeb(backend.stdin), Readable.toWeb(backend.stdout)), async context => {
      const hello = await context.request(methods.agent.initialize, { protocolVersion: 1, clientCapabilities: { _meta: { sketch: {} } } });
      assert.equal(hello.protocolVersion, 1);
      assert.equal(hello.agentCapabilities.loadSession, true);
      await body(context, { updates, extensions, asked });
    });
  } finally {
    backend.stdin.end();
  }
  const [code] = await ended;
  assert.equal(code, 0, 'the backend ends well');
}

const of = (updates, kind) => updates.filter(({ sessionUpdate }) => sessionUpdate === kind);
const text = (updates, kind) => of(updates, kind).map(({ content }) => content.text).join('');
let sessionId;

test('a folder that is no repository is refused with a hint', async () => {
  await connect(async context => {
    await assert.rejects(context.request(methods.agent.session.new, { cwd: work, mcpServers: [] }), /not a git repository/);
  });
});

test('a turn: text, a tool, a question, a commit on the host', async () => {
  await connect(async (context, { updates, extensions, asked }) => {
    ({ sessionId } = await context.request(methods.agent.session.new, { cwd: repository, mcpServers: [] }));
    const prompt = [
      { type: 'text', text: 'Add a greeting to ' },
      { type: 'resource_link', name: 'hello.py', uri: `file://${repository}/hello.py` },
    ];
    const { stopReason } = await context.request(methods.agent.session.prompt, { sessionId, prompt });
    assert.equal(stopReason, 'end_turn', JSON.stringify(updates));
    assert.match(text(updates, 'agent_message_chunk'), /I will add it\.[^]*It is there, in blue\./);
    const [call] = of(updates, 'tool_call');
    assert.equal(call.kind, 'execute');
    const last = of(updates, 'tool_call_update').findLast(({ toolCallId }) => toolCallId === call.toolCallId) ?? call;
    assert.equal(last.status, 'completed', JSON.stringify(last));
    assert.match(JSON.stringify(last.content), /Add a greeting/);
    assert.deepEqual(asked.map(({ options }) => options.map(({ name }) => name)), [['red', 'blue']]);
    while (!extensions.some(({ exists }) => exists)) await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(git('log', '-1', '--format=%s', extensions.findLast(({ exists }) => exists).name), 'Add a greeting');
  });
});

test('a session is listed, and tells its conversation when it is loaded', async () => {
  await connect(async (context, { updates }) => {
    const { sessions } = await context.request(methods.agent.session.list, { cwd: repository });
    assert.deepEqual(sessions.map(({ sessionId, cwd }) => [sessionId, cwd]), [[sessionId, repository]]);
    const loaded = await context.request(methods.agent.session.load, { sessionId, cwd: repository, mcpServers: [] });
    assert.equal(loaded.configOptions?.[0].currentValue, 'scenario');
    assert.match(text(updates, 'user_message_chunk'), /Add a greeting/);
    assert.match(text(updates, 'agent_message_chunk'), /in blue/);
  });
});

test('commands answer without the model', async () => {
  await connect(async (context, { updates }) => {
    await context.request(methods.agent.session.resume, { sessionId, cwd: repository, mcpServers: [] });
    const prompt = [{ type: 'text', text: '/ssh' }];
    await context.request(methods.agent.session.prompt, { sessionId, prompt });
    assert.match(text(updates, 'agent_message_chunk'), /ssh .*sketch-/);
    assert.equal(readFileSync(join(repository, 'hello.py'), 'utf8'), 'print("hello")\n', 'the host has its own files');
  });
});

test('a question that another window answers is taken back', async () => {
  const opened = context => context.request(methods.agent.session.resume, { sessionId, cwd: repository, mcpServers: [] });
  const waits = async (_, signal) => {
    const withdrawn = once(signal, 'abort');
    const elsewhere = async context => {
      await opened(context);
      await withdrawn;
    };
    await connect(elsewhere, choosing('large'));
    throw RequestError.requestCancelled();
  };
  await connect(async (context, { updates, asked }) => {
    await opened(context);
    const { stopReason } = await context.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text: 'Ask again' }] });
    assert.equal(stopReason, 'end_turn', JSON.stringify(updates));
    assert.equal(asked.length, 1);
    const settled = of(updates, 'tool_call_update').findLast(({ toolCallId }) => toolCallId === asked[0].toolCall.toolCallId);
    assert.equal(settled.status, 'completed');
    assert.match(JSON.stringify(settled.content), /In which size\?[^]*> large/);
    assert.match(text(updates, 'agent_message_chunk'), /It is large\./);
  }, waits);
});
