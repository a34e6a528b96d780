// How things are: what came in, which services fail more than before, runs by category, the server itself.
// Each part asks for itself, and fails alone.

import { call } from './api.js';
import { ERRORS, bucketStarts, isOneOf } from './chart-data.js';
import { fill, h, isolated } from './dom.js';
import { duration, figure, key, nothing, panel, share, show, table } from './parts.js';
import { datasetsOf, linkTo, rangeChoice, tickOf, timeLabel } from './place.js';
import { plot } from './plot.js';
import { bytes, count, many } from './texts.js';
import { words } from './texts-pages.js';
import { HOUR, isoTime, parseTime, rangeText, stepFor } from './time.js';

const W = words.overview;
const BARS = 48;
const ROWS = 10;
const TOOK = 'execution_time_seconds';

export function page(ctx) {
  const heading = h('header', { class: 'page-head' });
  const cards = h('div', { class: 'cards' });
  const rest = h('p', { class: 'soft' });
  const [services, runs, server] = [W.services, W.runs, W.server].map((title) => panel(title));
  const beside = h('div', { class: 'stack' }, runs.element, server.element);
  const element = h('div', { class: 'page' }, heading, cards, rest,
    h('div', { class: 'panels' }, services.element, beside));
  let stop = new AbortController();

  function update(address) {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const range = rangeChoice(ctx, address, '24h');
    fill(heading, h('h1', null, W.title), range.element);
    const at = {
      ctx, address, range: range.range, start: range.start, end: range.end,
      within: { start: isoTime(range.start), end: isoTime(range.end) },
      ask: (path, body) => call(body ? 'POST' : 'GET', path, { body, signal }),
    };
    const datasets = datasetsOf(ctx);
    const all = datasets.map((dataset) => card(at, dataset));
    fill(cards, all.map((one) => one.element));
    fill(rest);
    Promise.all(all.map((one) => one.total)).then((totals) => {
      if (signal.aborted) return;
      const none = datasets.filter((_, index) => totals[index] === 0);
      all.forEach((one, index) => { one.element.hidden = totals[index] === 0; });
      if (none.length === datasets.length) empty(at, cards, datasets, signal);
      else if (none.length) fill(rest, W.noneIn(none.map((dataset) => words.datasets[dataset])));
    });
    services.element.hidden = !datasets.includes('logs');
    runs.element.hidden = !datasets.includes('workflows');
    if (!services.element.hidden) show(services.body, () => mostErrors(at));
    if (!runs.element.hidden) show(runs.body, () => byCategory(at));
    show(server.body, () => status(at));
  }

  return { element, update, leave: () => stop.abort() };
}

/** A link to the records of `dataset` with these filters. */
function toLogs({ ctx, address, range }, dataset, filters, text, kind) {
  return linkTo(ctx, { ...address, page: 'logs', dataset, q: '', filters, range, more: new Map() }, text,
    kind);
}

/** Nothing in this time: says when there is something, or where to begin if there never was. */
async function empty(at, cards, datasets, signal) {
  const newest = await Promise.all(datasets.map((dataset) =>
    at.ask('query', { dataset, limit: 1, columns: ['timestamp'] }).then(({ rows }) =>
      ({ dataset, ...rows[0] }), () => ({}))));
  if (signal.aborted) return;
  const times = newest.map(({ dataset, timestamp }) => ({ dataset, time: timestamp ? parseTime(timestamp)
    : null }))
    .filter(({ time }) => time !== null).sort((one, other) => (one.time < other.time ? 1 : -1));
  const [last] = times;
  const state = last
    ? nothing(W.noneInTime(timeLabel(at.ctx, last.time)), toLogs({ ...at, range: rangeText(last.time - HOUR,
      last.time + 1n) },
      last.dataset, [], W.showNewest, 'button'))
    : nothing(W.nothingYet, linkTo(at.ctx, { ...at.address, page: 'send' }, W.toSend, 'button main'));
  state.classList.add('wide');
  fill(cards, state);
}

/** {element, total}: `total` is promised, null where it is not known. */
function card(at, dataset) {
  const { field, bad } = ERRORS[dataset];
  const { body, element } = panel(words.datasets[dataset]);
  element.classList.add('card');
  let total = null;
  const shown = show(body, async () => {
    const step = stepFor(at.start, at.end, BARS);
    const answer = await at.ask('summary', {
      dataset, ...at.within, where: '', filters: [], bucket: step, by: field, fields: [], values: 0,
    });
    total = Number(answer.total);
    const failing = (bar) => (bar.by ?? []).reduce((sum, part) =>
      sum + (bad.includes(part.value) ? Number(part.count) : 0), 0);
    const errors = answer.bars.reduce((sum, bar) => sum + failing(bar), 0);
    return [
      h('p', { class: 'figures' },
        toLogs(at, dataset, [], [h('b', null, count(answer.total)), ' ', words.records(total)], 'big'),
        total ? toLogs(at, dataset, [{ field, not: false, values: bad }], W.errorShare(share(errors, total)),
          errors ? 'badness' : 'soft') : null),
      total ? bars(at, dataset, answer.bars, step, failing) : h('p', { class: 'soft' }, W.noneHere),
    ];
  });
  return { element, total: shown.then(() => total) };
}

function bars({ ctx, start, end }, dataset, list, step, failing) {
  const times = bucketStarts(start, end, step);
  const at = new Map(list.map((bar) => [parseTime(bar.start), bar]));
  const errors = times.map((time) => (at.has(time) ? failing(at.get(time)) : 0));
  const totals = times.map((time) => (at.has(time) ? Number(at.get(time).count) : 0));
  return plot('bars', {
    times: times.map((time) => timeLabel(ctx, time, step)), stacked: true, whole: true, format: figure,
    tick: (index) => tickOf(ctx, times[index], step),
    groups: [{ name: W.errors, values: errors, colour: 'of-error' },
      { name: W.others, values: totals.map((total, index) => total - errors[index]), colour: 'of-info' }],
  }, W.barsSentence(words.datasets[dataset], times.length, step, figure(Math.max(...totals))));
}

async function mostErrors(at) {
  const { field, bad } = ERRORS.logs;
  const body = {
    dataset: 'logs', group_by: ['service'], order_by: 'errors', limit: ROWS,
    measures: [{ count: { where: { in: [field, bad] } }, as: 'errors' }, { count: true, as: 'total' }],
  };
  const { rows } = await at.ask('query', { ...body, ...at.within });
  const failing = rows.filter((row) => Number(row.errors) > 0);
  if (!failing.length) return nothing(W.noErrors);
  const keys = failing.map((row) => row.service ?? null);
  const before = await at.ask('query', {
    ...body, start: isoTime(at.start - (at.end - at.start)), end: at.within.start, where: isOneOf('service',
      keys),
    limit: ROWS + 1,
  });
  const earlier = new Map(before.rows.map((row) => [row.service ?? null, Number(row.errors)]));
  return table(W.services, [W.service, [W.errors], [W.shareOfAll], [W.change]], failing.map((row, index) => [
    toLogs(at, 'logs', [{ field, not: false, values: bad }, isKey('service', keys[index])], key(keys[index])),
    count(row.errors), share(row.errors, row.total), change(Number(row.errors), earlier.get(keys[index])),
  ]));
}

const isKey = (field, value) => ({ field, not: false, values: [value ?? { json: 'null' }] });

/** `before`: undefined where there were no records at all. */
function change(now, before) {
  if (before === undefined) return h('span', { class: 'soft', title: W.noneBefore }, '–');
  if (now === before) return h('span', { class: 'soft' }, W.same);
  const rises = now > before;
  return h('span', { class: rises ? 'badness' : 'goodness', title: W.before(count(before)) },
    `${rises ? '▲ +' : '▼ −'}${count(Math.abs(now - before))}`);
}

async function byCategory(at) {
  const { rows } = await at.ask('query', {
    dataset: 'workflows', ...at.within, group_by: ['category'], order_by: 'count', limit: ROWS * 2,
    measures: [{ count: true, as: 'count' }, { count: { where: { eq: ['status', 'SUCCESS'] } }, as: 'good' },
      { avg: TOOK, as: 'avg' }, { quantile: [TOOK, 0.95], as: 'p95' }],
  });
  if (!rows.length) return nothing(W.noRuns);
  const took = (seconds) => (seconds === null || seconds === undefined ? '–'
    : duration(Number(seconds) * 1000));
  return table(W.runs, [W.category, [W.runCount], [W.success], [W.average], [W.p95]], rows.map((row) => [
    toLogs(at, 'workflows', [isKey('category', row.category)], key(row.category ?? null)),
    count(row.count), meter(Number(row.good), Number(row.count)), took(row.avg), took(row.p95),
  ]));
}

function meter(part, whole) {
  const inner = h('i');
  inner.style.width = `${100 * part / whole}%`;
  return h('span', { class: 'metered' }, share(part, whole),
    h('span', { class: 'meter', 'aria-hidden': 'true' }, inner));
}

async function status(at) {
  const now = await at.ask('status');
  const { disk, head, forwarding } = now;
  const isReady = now.ready !== false;
  const facts = [
    [W.state, h('span', { class: isReady ? 'goodness' : 'badness' }, isReady ? W.ready : W.notReady)],
    disk && [W.disk, W.diskFree(bytes(disk.free_bytes), bytes(disk.used_bytes))],
    head && [W.head, W.headHolds(many(head.rows, 'record', 'records'), bytes(head.bytes))],
    now.blocks !== undefined && [W.blocks, count(now.blocks)],
    forwarding !== undefined && [W.forwarding, forwarding ? forwarder(forwarding) : W.notForwarding],
    now.uptime_seconds !== undefined && [W.running, duration(Number(now.uptime_seconds) * 1000)],
    [W.version, isolated(String(now.version))],
  ].filter(Boolean);
  const bad = (now.checks ?? []).filter((check) => check.ok === false);
  return [h('dl', { class: 'facts' }, facts.map(([name, value]) => [h('dt', null, name),
    h('dd', null, value)])),
    bad.length ? h('ul', { class: 'plain badness' }, bad.map((check) =>
      h('li', null, isolated(String(check.name)),
      check.detail ? [': ', isolated(String(check.detail))] : null))) : null];
}

/** What the server says of its forwarder, whichever figures it has. */
function forwarder(forwarding) {
  const said = (value) => (typeof value === 'boolean' ? (value ? words.yes : words.no)
    : typeof value === 'string' ? value : figure(value));
  return h('ul', { class: 'plain' }, Object.entries(forwarding)
    .filter(([, value]) => value === null || typeof value !== 'object' || value.source)
    .map(([name, value]) => h('li', null, isolated(words.forwarder[name] ?? name.replaceAll('_', ' ')), ': ',
      isolated(said(value)))));
}
