// The stand-in's agent. A prompt plays a turn: streamed text, a tool call with output and a diff, a screenshot, a last word.
// "ask" in a prompt makes it ask something, "wait" makes it work until it is cancelled or steered.

import { screenshot } from './picture.mjs';

const diff = `--- a/index.html
+++ b/index.html
@@ -1 +1,2 @@
 <h1>hello from inside</h1>
+<p>Sign here.</p>
`;

export function createAgent({ session, tell }) {
  const messages = [];
  let status = {
    session,
    state: 'idle',
    model: 'opus',
    turn: 0,
    usage: { inputTokens: 0, outputTokens: 0, dollars: 0, priced: true },
    contextUsed: 0,
    contextSize: 200_000,
  };
  let keys = {};
  let wake;

  const setStatus = change => {
    status = { ...status, ...change };
    tell('$/sketch/agent', status);
  };
  const put = (kind, fields) => {
    const seq = messages.length + 1;
    const message = {
      id: `m${seq}`,
      seq,
      kind,
      time: '2026-01-01T00:00:00Z',
      turn: status.turn,
      done: true,
      ...fields,
    };
    messages.push(message);
    tell('$/sketch/message', { session, message });
    return message;
  };
  const change = (message, fields) => {
    Object.assign(message, fields);
    tell('$/sketch/message', { session, message });
  };
  const say = text => {
    const message = put('assistant', { text: '', done: false });
    for (const word of text.split(/(?<= )/)) change(message, { text: message.text + word });
    change(message, { done: true });
  };
  const todo = states => {
    const items = ['Read the page', 'Add a form', 'Look at it in the browser'];
    return items.map((text, at) => ({ id: `${at}`, text, status: states[at] }));
  };

  function finish(outcome) {
    const usage = {
      inputTokens: 4200,
      outputTokens: 900,
      cacheReadTokens: 30_000,
      dollars: 0.42,
      priced: true,
    };
    setStatus({ state: 'idle', outcome, queued: 0, usage, contextUsed: 36_000 });
  }

  async function work(text) {
    setStatus({ state: 'thinking', todo: todo(['done', 'active', 'pending']) });
    say('I will add a **form** to `index.html`:\n\n- one line for the name\n- one for the words\n');
    setStatus({ state: 'tools' });
    const tool = { id: 't1', name: 'bash', title: 'python3 -m unittest', state: 'running' };
    const call = put('tool', { tool, done: false });
    change(call, { tool: { ...tool, output: 'Ran 1 test' } });
    if (text.includes('wait')) {
      const woken = await new Promise(resolve => (wake = resolve));
      if (woken === 'cancel') {
        change(call, { tool: { ...tool, state: 'cancelled', output: 'Ran 1 test' }, done: true });
        return finish('cancelled');
      }
      setStatus({ queued: 0 });
    }
    const output = 'Ran 3 tests in 0.1s\n\nOK\n';
    change(call, { tool: { ...tool, state: 'done', output, durationMs: 3400 }, done: true });
    put('tool', {
      tool: { id: 't2', name: 'patch', title: 'index.html', state: 'done', diff, durationMs: 12 },
    });
    const image = { mimeType: 'image/png', data: screenshot(), name: 'guest-book.png' };
    put('tool', {
      tool: { id: 't3', name: 'browser', title: 'screenshot http://localhost:3000/', state: 'done' },
      images: [image],
    });
    if (text.includes('ask')) {
      setStatus({ state: 'asking' });
      const question = { text: 'Which colour should the button have?', options: ['Blue', 'Green'] };
      const asked = put('question', { question, done: false });
      const answer = await new Promise(resolve => (wake = resolve));
      if (answer === 'cancel') return finish('cancelled');
      change(asked, { question: { ...question, answer, answered: true }, done: true });
    }
    say('Done: the guest book has a form, see [the page](http://localhost:3000/).');
    put('notice', { text: 'Committed “Add a form” on sketch/guest-book.' });
    setStatus({ todo: todo(['done', 'done', 'done']) });
    finish('done');
  }

  function prompt({ text, images, context }) {
    const steered = status.state !== 'idle';
    if (!steered) setStatus({ turn: status.turn + 1, state: 'thinking', outcome: undefined });
    const about = (context ?? []).map(({ path }) => `\n\n[${path}]`).join('');
    const { id } = put('user', { text: text + about, ...(images && { images }) });
    if (steered) {
      setStatus({ queued: 1 });
      wake?.('steer');
    } else {
      void work(text);
    }
    return { session, id, turn: status.turn, steered };
  }

  const commands = {
    'sketch.prompt': prompt,
    'sketch.cancel': () => {
      wake?.('cancel');
      return null;
    },
    'sketch.answer': ({ answer }) => {
      wake?.(answer);
      return null;
    },
    'sketch.conversation': ({ after = 0, limit = 200 }) => {
      const later = messages.filter(message => message.seq > after);
      return { session, status, messages: later.slice(-limit), ...(later.length > limit && { more: true }) };
    },
    'sketch.models': () => ({
      models: ['opus', 'local'].map(name => ({
        name,
        provider: name === 'local' ? 'openai' : 'anthropic',
        model: `stub-${name}`,
        ready: name === 'opus' || keys.openai !== undefined,
      })),
      default: 'opus',
    }),
    'sketch.setKey': ({ name, key }) => {
      keys = { ...keys, [name]: key === '' ? undefined : key };
      return null;
    },
  };
  const operations = { agent: ({ status: change }) => setStatus(change) };
  return { commands, operations, prompt, attached: () => tell('$/sketch/agent', status) };
}
