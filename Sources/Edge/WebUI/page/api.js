// Calls of the server. The browser adds the cookie; the two headers keep foreign pages out and choose the
// tenant. Failures are `Failure`s, whatever went wrong.

import { parse, write } from './json.js';

/** `kind`: away, stopped, cut, foreign (no answer of ours), refused (401, 403), invalid, busy, failed. */
export class Failure extends Error {
  constructor(kind, more = {}) {
    super(more.detail ?? more.title ?? kind);
    Object.assign(this, { kind, status: 0, title: '', detail: '', field: null, character: null,
      retryAfter: null });
    Object.assign(this, more);
  }
}

let tenant = null;
let clockDifference = 0;
let signIn = null;

export function useTenant(name) {
  tenant = name;
}

/** `ask()` is called on 401 and resolves when somebody has signed in: what was asked is asked again. */
export function onSignedOut(ask) {
  signIn = ask;
}

/** The server's clock, in nanoseconds: this computer's may be wrong. If it is, a second late at most, and not
 * early: what has just come in is in the last minutes. */
export function serverNow() {
  return BigInt(Date.now() + clockDifference) * 1_000_000n;
}

function readClock(answer) {
  const date = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  // The field leaves out parts of a second.
  const difference = date + 1000 - Date.now();
  clockDifference = Math.abs(difference) > 3000 ? difference : 0;
}

function kindOf(status) {
  if (status === 401 || status === 403) return 'refused';
  if (status === 429 || status === 503 || status === 504) return 'busy';
  return status < 500 ? 'invalid' : 'failed';
}

async function failureOf(answer) {
  const text = await answer.text().catch(() => '');
  let problem = {};
  try {
    problem = parse(text);
  } catch {
    if (answer.status < 400) return new Failure('foreign', { status: answer.status });
  }
  const { title = '', detail = '', field = null, character = null } = problem ?? {};
  return new Failure(kindOf(answer.status), {
    status: answer.status, title: String(title), detail: String(detail), field,
    character: character === null ? null : Number(character),
    retryAfter: Number(answer.headers.get('retry-after')) || null,
    request: answer.headers.get('x-request-id'),
  });
}

/** The answer of a call that went well, its body not yet read. */
export async function ask(method, path, { body, signal, headers = {}, accept, again = true } = {}) {
  const sent = { 'Cordwood-Page': '1', ...headers };
  if (tenant) sent['Cordwood-Tenant'] = tenant;
  if (accept) sent.Accept = accept;
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch('/ui/v1/' + path, {
      method, headers: sent, signal, cache: 'no-store', redirect: 'error', credentials: 'same-origin',
      body: body === undefined ? undefined : typeof body === 'string' ? body : write(body),
    });
  } catch (error) {
    throw new Failure(signal?.aborted ? 'stopped' : 'away', { cause: error });
  }
  readClock(answer);
  if (answer.status === 401 && again && signIn) {
    await signIn();
    return ask(method, path, { body, signal, headers, accept, again: false });
  }
  if (!answer.ok) throw await failureOf(answer);
  return answer;
}

const reading = async (signal, work) => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(signal?.aborted ? 'stopped' : 'cut', { cause: error });
  }
};

/** An answer of JSON, numbers as they were sent (json.js). Null for 204. */
export async function call(method, path, options = {}) {
  const answer = await ask(method, path, options);
  if (answer.status === 204) return null;
  if (!/json/.test(answer.headers.get('content-type') ?? '')) throw new Failure('foreign',
    { status: answer.status });
  const text = await reading(options.signal, () => answer.text());
  try {
    return parse(text);
  } catch (error) {
    throw new Failure('cut', { cause: error });
  }
}

/** The lines of an answer of NDJSON, unparsed, and what the head says is missing. */
export async function lines(path, body, { signal } = {}) {
  const answer = await ask('POST', path + '?format=ndjson', { body, signal });
  if (!/ndjson/.test(answer.headers.get('content-type') ?? '')) {
    throw new Failure('foreign', { status: answer.status });
  }
  const text = await reading(signal, () => answer.text());
  if (text && !text.endsWith('\n')) throw new Failure('cut');
  return { lines: text ? text.slice(0, -1).split('\n') : [],
    incomplete: answer.headers.get('cordwood-incomplete') };
}

/**
 * Server-Sent Events by fetch: `onEvent({id, type, data})` for each, until the stream ends (resolves) or
 * breaks. Events of one piece come one after the other; `onPiece()` follows them.
 */
export async function events(method, path, { signal, body, headers, onEvent, onPiece, onOpen }) {
  const answer = await ask(method, path, { signal, body, headers, accept: 'text/event-stream' });
  const kind = answer.headers.get('content-type') ?? '';
  if (/application\/json/.test(kind) && method === 'POST') {
    onEvent({ id: null, type: 'message', data: await reading(signal, () => answer.text()) });
    return;
  }
  if (!/event-stream/.test(kind)) {
    await answer.body?.cancel();
    throw new Failure('foreign', { status: answer.status });
  }
  onOpen?.();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let event = { id: null, type: 'message', data: null };
  let rest = '';
  await reading(signal, async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const texts = (rest + value).split('\n');
      rest = texts.pop();
      for (const line of texts) {
        const text = line.endsWith('\r') ? line.slice(0, -1) : line;
        if (text === '') {
          if (event.data !== null || event.id !== null) onEvent(event);
          event = { id: null, type: 'message', data: null };
        } else {
          readField(event, text);
        }
      }
      onPiece?.();
    }
  });
}

function readField(event, line) {
  const colon = line.indexOf(':');
  if (colon === 0) return;
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
  if (name === 'data') event.data = event.data === null ? value : event.data + '\n' + value;
  else if (name === 'id') event.id = value;
  else if (name === 'event') event.type = value;
}
