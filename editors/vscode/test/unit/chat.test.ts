import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversations, withMessage } from '../../src/chat/conversation';
import { attachmentLabel, listedUris, maxDropped, readFromPage } from '../../src/chat/exchange';
import { referenced } from '../../src/chat/references';
import { TurnText } from '../../src/chat/turnText';
import type { AgentStatus, Message } from '../../src/protocol';

function message(seq: number, fields: Partial<Message> = {}): Message {
  return { id: `m${seq}`, seq, kind: 'assistant', time: '', turn: 1, done: true, ...fields };
}
const ids = (messages: readonly Message[]) => messages.map(({ id }) => id);
const status: AgentStatus = {
  session: 's',
  state: 'idle',
  turn: 1,
  usage: { inputTokens: 0, outputTokens: 0, dollars: 0, priced: false },
};

test('a message replaces the one with its id, and stands in its place', () => {
  let all = withMessage([message(1), message(3)], message(2));
  assert.deepEqual(ids(all), ['m1', 'm2', 'm3']);
  all = withMessage(all, message(2, { text: 'more' }));
  assert.equal(all.length, 3);
  assert.equal(all[1]?.text, 'more');
});

test('a state that comes late does not undo what is done', () => {
  const all = withMessage([message(1, { text: 'whole' })], message(1, { text: 'who', done: false }));
  assert.equal(all[0]?.text, 'whole');
});

test('what is told while the conversation is asked for is not lost', () => {
  const conversations = new Conversations();
  conversations.put({ session: 's', message: message(2, { text: 'done meanwhile' }) });
  conversations.put({ session: 's', message: message(3) });
  conversations.load({
    session: 's',
    status,
    messages: [message(1), message(2, { text: 'do', done: false })],
    more: true,
  });
  const { messages, more } = conversations.get('s');
  assert.deepEqual(ids(messages), ['m1', 'm2', 'm3']);
  assert.equal(messages[1]?.text, 'done meanwhile');
  assert.equal(more, true);
});

test('gaps are asked for from the first message that is not done', () => {
  const conversations = new Conversations();
  assert.equal(conversations.settled('s'), 0);
  for (const seq of [1, 2, 3])
    conversations.put({ session: 's', message: message(seq, { done: seq !== 2 }) });
  assert.equal(conversations.settled('s'), 1);
  conversations.fill({ session: 's', status, messages: [message(2)] });
  assert.equal(conversations.settled('s'), 3);
});

test('only what the page may say is taken from it', () => {
  assert.deepEqual(
    readFromPage({ type: 'prompt', text: 'hi', images: [{ mimeType: 'text/html', data: 'x' }, null] }),
    {
      type: 'prompt',
      text: 'hi',
      images: [],
    },
  );
  assert.equal(
    readFromPage({ type: 'command', command: 'workbench.action.terminal.sendSequence' }),
    undefined,
  );
  assert.deepEqual(readFromPage({ type: 'command', command: 'sketch.setApiKey' }), {
    type: 'command',
    command: 'sketch.setApiKey',
  });
  const many = Array.from({ length: maxDropped + 1 }, (_, n) => `file:///${n}`);
  const dropped = readFromPage({ type: 'dropped', uris: [1, ...many] });
  assert.equal(dropped?.type === 'dropped' && dropped.uris.length, maxDropped);
  for (const bad of [undefined, null, 'ready', {}, { type: 'prompt' }, { type: 'answer', id: 1 }]) {
    assert.equal(readFromPage(bad), undefined);
  }
});

test('a list of addresses is read', () => {
  assert.deepEqual(listedUris('# two\r\nfile:///a\r\nfile:///b%20c\r\n'), ['file:///a', 'file:///b%20c']);
  assert.deepEqual(listedUris(''), []);
});

test('what a prompt refers to goes along, once, where it is in the repository', () => {
  const uri = (path: string) => ({ scheme: 'file', path });
  const range = { start: { line: 2 }, end: { line: 8, character: 1 } };
  const wholeLines = { start: { line: 2 }, end: { line: 9, character: 0 } };
  const values = [
    uri('/repo/a.go'),
    { uri: uri('/repo/b.go'), range },
    { uri: uri('/repo/b.go'), range: wholeLines },
    uri('/repo/a.go'),
    uri('/etc/passwd'),
    'text',
  ];
  const pathOf = ({ path }: { path: string }) => (path.startsWith('/repo/') ? path.slice(6) : undefined);
  assert.deepEqual(referenced([...values, null, { uri: uri('/etc/passwd'), range }], pathOf), [
    { path: 'a.go' },
    { path: 'b.go', startLine: 3, endLine: 9 },
  ]);
});

test('attachments are named by their lines', () => {
  assert.equal(attachmentLabel({ path: 'a.go' }), 'a.go');
  assert.equal(attachmentLabel({ path: 'a.go', startLine: 3, endLine: 3 }), 'a.go:3');
  assert.equal(attachmentLabel({ path: 'a.go', startLine: 3, endLine: 9 }), 'a.go:3-9');
});

test('a turn is told as text that only grows', () => {
  const text = new TurnText();
  assert.equal(text.take(message(1, { text: 'He', done: false })).markdown, ''); // the turn is not known yet
  assert.equal(text.begin(1).markdown, 'He');
  assert.equal(text.take(message(1, { text: 'Hello', done: false })).markdown, 'llo');
  assert.equal(text.take(message(1, { text: 'Hello you' })).markdown, ' you\n\n');
  assert.equal(text.take(message(1, { text: 'Hello you' })).markdown, '');
  assert.equal(text.take(message(2, { turn: 2, text: 'another turn' })).markdown, '');
  const tool = { id: 't', name: 'bash', title: 'go test', state: 'running' } as const;
  assert.equal(text.take(message(3, { kind: 'tool', done: false, tool })).progress, 'bash: go test');
});

test('a turn that is over before its number is known is told whole', () => {
  const text = new TurnText();
  text.take(message(1, { text: 'Done.' }));
  text.take(message(2, { kind: 'notice', text: 'Committed.' }));
  assert.deepEqual(text.begin(1), { markdown: 'Done.\n\nCommitted.\n\n' });
});

test('a question in a turn is told once, and that it waits', () => {
  const text = new TurnText();
  text.begin(1);
  const question = { text: 'Which colour?', options: ['Blue'] };
  const asked = message(1, { kind: 'question', question, done: false });
  assert.deepEqual(text.take(asked), { markdown: 'Which colour?\n\n', asks: true });
  const answered = { ...question, answer: 'Blue', answered: true };
  assert.deepEqual(text.take(message(1, { kind: 'question', question: answered })), { markdown: '' });
});
