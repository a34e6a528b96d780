// All records of a trace or a ticket on one time line.

import { call } from './api.js';
import { quoted } from './query.js';
import { fill, h, isolated, say } from './dom.js';
import { write } from './json.js';
import { duration, labelled, loading, nothing, show } from './parts.js';
import { datasetsOf, linkTo } from './place.js';
import { colourOf } from './plot.js';
import { count } from './texts.js';
import { words } from './texts-pages.js';
import { fullTime, isoTime, zoneName } from './time.js';
import { waterfall } from './trace-data.js';

const RECORDS_MAX = 1000;
const FIRST = 60;
const FIELDS = { logs: 'trace_id', workflows: 'ticket_id', audit: 'metadata.trace_id' };

export function page(ctx) {
  const input = h('input', { type: 'text', class: 'mono', autocomplete: 'off', spellcheck: 'false',
    placeholder: words.trace.placeholder });
  const form = h('form', {
    class: 'asking', role: 'search',
    onsubmit: (event) => {
      event.preventDefault();
      const id = input.value.trim();
      ctx.go({ ...ctx.address(), more: new Map(id ? [['id', id]] : []) });
    },
  }, labelled(words.trace.label, input, words.trace.hint), h('button', { class: 'main' }, words.trace.show));
  const body = h('div', { class: 'trace', 'aria-live': 'off' }, loading());
  const element = h('div', { class: 'page' }, h('header', { class: 'page-head' },
    h('h1', null, words.trace.title)), form, body);
  let stop = new AbortController();

  return {
    element,
    title: (address) => address.more.get('id') ?? words.trace.title,
    update(address) {
      stop.abort();
      stop = new AbortController();
      const id = address.more.get('id') ?? '';
      input.value = id;
      if (id) show(body, () => trace(ctx, address, id, stop.signal));
      else {
        body.turn = (body.turn ?? 0) + 1;
        fill(body, nothing(words.trace.ask));
        input.focus();
      }
    },
    leave: () => stop.abort(),
  };
}

/** Asks each dataset that knows traces; one without records gives none. */
async function trace(ctx, address, id, signal) {
  const asked = datasetsOf(ctx).filter((dataset) => FIELDS[dataset]);
  const answers = await Promise.all(asked.map(async (dataset) => {
    const where = { eq: [FIELDS[dataset], id] };
    const body = { dataset, where, order: 'asc', limit: RECORDS_MAX + 1 };
    const { rows } = await call('POST', 'query', { body, signal });
    if (rows.length <= RECORDS_MAX) return { dataset, rows, total: rows.length };
    const counted = await call('POST', 'query', { body: { dataset, where, measures: ['count'] }, signal });
    return { dataset, rows: rows.slice(0, RECORDS_MAX), total: Number(counted.rows[0].count) };
  }));
  const total = answers.reduce((sum, answer) => sum + answer.total, 0);
  if (!total) return nothing(noneOf(id), h('span', { class: 'soft' }, words.trace.noneHint));
  const found = waterfall(answers);
  const rows = found.rows.slice(0, RECORDS_MAX);
  return [summary(ctx, address, id, answers, total, found, rows), lines(rows, found)];
}

function noneOf(id) {
  const [before, after] = words.trace.noneOf('\u0000').split('\u0000');
  return [before, isolated(id), after];
}

function summary(ctx, address, id, answers, total, found, rows) {
  const services = new Set(rows.filter((row) => !row.isStep).map((row) => row.from).filter(Boolean));
  const links = answers.filter((answer) => answer.total).map(({ dataset }) => linkTo(ctx, {
    ...address, page: 'logs', dataset, more: new Map(), q: `${FIELDS[dataset]} = ${quoted(id)}`,
    range: `${isoTime(found.start)}..${isoTime(found.start + BigInt(Math.ceil(found.length * 1e6)) + 1n)}`,
  }, total > RECORDS_MAX ? words.trace.all
    : `${words.trace.inLogs}${answers.filter((one) => one.total).length > 1 ? ` (
    ${words.datasets[dataset]})` : ''}`));
  return h('div', { class: 'trace-head' },
    h('p', null, h('b', null, words.trace.summary(total, duration(found.length), services.size)), ' ',
      h('span', { class: 'soft' },
        `${fullTime(found.start, ctx.zone(), 3)} ${zoneName(ctx.zone(), found.start)}`), ' ',
      links.map((link) => [link, ' '])),
    total > RECORDS_MAX ? h('p', { class: 'notice', role: 'status' }, words.trace.over(count(total))) : null,
    found.hasDurations ? null : h('p', { class: 'notice' }, words.trace.noDurations));
}

function lines(rows, found) {
  const body = h('tbody');
  // Those in view first, so that a long trace is seen at once.
  const draw = (part) => { for (const row of part) line(body, row, found); };
  draw(rows.slice(0, FIRST));
  if (rows.length > FIRST) requestAnimationFrame(() => setTimeout(() => draw(rows.slice(FIRST))));
  return h('div', { class: 'table-frame waterfall' }, h('table', { class: 'data' },
    h('thead', null, h('tr', null, [words.trace.offset, words.trace.service, words.trace.level,
      words.trace.message, words.trace.bar]
      .map((title, index) => h('th', { scope: 'col', class: ['number', '', '', '', 'span'][index] || null },
        title)))), body));
}

/** A row, and below it, when it was opened, its record. */
function line(body, row, found) {
  const offset = `+${duration(row.offset)}`;
  const took = row.took === null ? '' : duration(row.took);
  const bar = h('i', { class: `${row.took === null ? 'mark' : 'length'} ${colourOf(row.level, 7)}` });
  const share = (part) => (found.length ? 100 * part / found.length : 0);
  bar.style.left = `${share(row.offset).toFixed(3)}%`;
  if (row.took !== null) bar.style.width = `${share(row.took).toFixed(3)}%`;
  let detail = null;
  const button = h('button', {
    type: 'button', class: 'quiet opener', 'aria-expanded': 'false',
    onclick: () => {
      if (detail) detail.remove();
      else tr.after(detail ??= recordRow(row));
      const isOpen = detail.isConnected;
      if (!isOpen) detail = null;
      button.setAttribute('aria-expanded', String(isOpen));
    },
  }, row.isStep ? h('span', { class: 'soft' }, words.trace.step, ' ') : null,
    say(row.message.slice(0, 1000)));
  const tr = h('tr', { class: row.isStep ? 'step' : null },
    h('td', { class: 'number soft' }, offset), h('td', null, isolated(row.from)),
    h('td', null, row.level ? h('span', { class: `level ${colourOf(row.level, 7)}` }, isolated(row.level))
      : null),
    h('td', { class: 'what' }, button),
    h('td', { class: 'span', title: words.trace.rowLabel(offset, took) }, h('div', { class: 'lane' }, bar),
      took ? h('span', { class: 'took' }, took) : null));
  body.append(tr);
}

function recordRow(row) {
  return h('tr', { class: 'opened' }, h('td', { colspan: 5 },
    h('pre', { tabindex: 0, role: 'region', 'aria-label': words.trace.record }, say(write(row.record, 2),
      { lines: true }))));
}
