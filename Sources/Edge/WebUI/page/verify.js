// Whether a record of the query log is what was written.

import { call } from './api.js';
import { fill, h, isolated, say } from './dom.js';
import { textOf, write } from './json.js';
import { key, labelled, nothing, panel, show, table } from './parts.js';
import { datasetsOf, linkTo } from './place.js';
import { words } from './texts-pages.js';
import { fullTime, parseTime } from './time.js';

const RECENT = 15;

export function page(ctx) {
  const input = h('input', { type: 'text', class: 'mono', autocomplete: 'off', spellcheck: 'false' });
  const form = h('form', {
    class: 'asking', role: 'search',
    onsubmit: (event) => {
      event.preventDefault();
      const id = input.value.trim();
      ctx.go({ ...ctx.address(), more: new Map(id ? [['id', id]] : []) });
    },
  }, labelled(words.verify.label, input), h('button', { class: 'main' }, words.verify.run));
  const verdict = h('div', { class: 'verdict', role: 'status' });
  const recent = panel(words.verify.recent, { wide: true });
  const element = h('div', { class: 'page' }, h('header', { class: 'page-head' },
    h('h1', null, words.verify.title)),
    h('p', { class: 'intro' }, words.verify.intro), form, verdict, h('div', { class: 'panels' },
      recent.element));
  let stop = new AbortController();

  return {
    element,
    update(address) {
      stop.abort();
      stop = new AbortController();
      const id = address.more.get('id') ?? '';
      input.value = id;
      if (id) show(verdict, () => verify(ctx, id, stop.signal));
      else {
        verdict.turn = (verdict.turn ?? 0) + 1;
        fill(verdict);
      }
      show(recent.body, () => newest(ctx, address, stop.signal), { quiet: true });
    },
    leave: () => stop.abort(),
  };
}

async function verify(ctx, id, signal) {
  let answer;
  try {
    answer = await call('GET', `verify?id=${encodeURIComponent(id)}`, { signal });
  } catch (failure) {
    if (failure.status === 404 || failure.status === 400) return outcome('unknown', id);
    throw failure;
  }
  const status = ['valid', 'changed', 'damaged'].includes(answer.status) ? answer.status : 'changed';
  return outcome(status, id, answer.record);
}

const SIGNS = { valid: '✓', changed: '≠', damaged: '✗', unknown: '?' };

function outcome(status, id, record) {
  return h('section', { class: `outcome ${status}` }, h('span', { class: 'sign', 'aria-hidden': 'true' },
    SIGNS[status]),
    h('div', null, h('h2', null, words.verify[status]), h('p', null, words.verify[status + 'Text']),
      record ? facts(record) : h('p', { class: 'soft mono' }, isolated(id))));
}

function facts(record) {
  return h('dl', { class: 'facts' }, Object.keys(record).map((name) => [h('dt', null, isolated(name)),
    h('dd', { class: 'mono' }, say(typeof record[name] === 'object' ? write(record[name], 2)
      : textOf(record[name]), { lines: true }))]));
}

async function newest(ctx, address, signal) {
  if (!datasetsOf(ctx).includes('queries')) return nothing(words.verify.notHere);
  const { rows } = await call('POST', 'query', { body: { dataset: 'queries', limit: RECENT }, signal });
  if (!rows.length) return nothing(words.verify.noRecent);
  const link = (row) => linkTo(ctx, { ...address, more: new Map([['id', String(row.id)]]) }, words.verify.run,
    'button');
  return table(words.verify.recent, [words.verify.time, words.verify.user, words.verify.query,
    words.verify.status, ''], rows.map((row) => [
    h('span', { class: 'mono' }, fullTime(parseTime(row.timestamp) ?? 0n, ctx.zone(), 3)),
      key(row.user_id ?? null),
    h('span', { class: 'mono cut' }, say(String(row.query ?? '').slice(0, 300))), key(row.status ?? null),
      link(row)]));
}
