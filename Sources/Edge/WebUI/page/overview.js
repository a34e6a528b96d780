// How things are: what came in, which services fail more than before, runs by category, the server itself.
// Each part asks for itself, and fails alone.

import { call } from './api.js';
import { ERRORS, bucketStarts, isOneOf } from './chart-data.js';
import { h, isolated } from './dom.js';
import { duration, figure, key, nothing, panel, share, show, table } from './parts.js';
import { colourOf, plot } from './plot.js';
import { rangeChoice, linkTo, tickOf, timeLabel } from './place.js';
import { bytes, count, many } from './texts.js';
import { isoTime, parseTime, stepFor } from './time.js';
import { words } from './texts-pages.js';

const BARS = 48;
const ROWS = 10;

export function page(ctx) {
  const heading = h('header', { class: 'page-head' });
  const cards = h('div', { class: 'cards' });
  const services = panel(words.overview.services);
  const runs = panel(words.overview.runs);
  const server = panel(words.overview.server);
  const parts = h('div', { class: 'panels' }, services.element, runs.element, server.element);
  const element = h('div', { class: 'page overview' }, heading, cards, parts);
  let stop = new AbortController();

  function update(address) {
    stop.abort();
    stop = new AbortController();
    const place = rangeChoice(ctx, address, '24h', (quiet) => { if (quiet !== false) update(address); });
    heading.replaceChildren(h('h1', null, words.overview.title), place.element);
    const ask = asker(stop.signal);
    const datasets = place.datasets;
    let filled = 0;
    cards.replaceChildren(...datasets.map((dataset) => card(ctx, address, dataset, place, ask, (total) => {
      filled += Number(total) > 0 ? 1 : 0;
    })));
    Promise.allSettled([...cards.children].map((one) => one.ready)).then((ends) => {
      const isEmpty = filled === 0 && ends.every((end) => end.value === true);
      parts.hidden = false;
      if (isEmpty && !stop.signal.aborted) empty(ctx, address, cards, place, ask);
    });
    services.element.hidden = !datasets.includes('logs');
    runs.element.hidden = !datasets.includes('workflows');
    if (!services.element.hidden) show(services.body, () => mostErrors(ctx, address, place, ask));
    if (!runs.element.hidden) show(runs.body, () => byCategory(ctx, address, place, ask));
    show(server.body, () => status(ask));
  }

  return { element, update, leave: () => stop.abort() };
}

const asker = (signal) => async (path, body) => call(body ? 'POST' : 'GET', path, { body, signal });

/** Nothing in this time: says when there is something, or where to begin if there never was. */
async function empty(ctx, address, cards, place, ask) {
  const newest = await Promise.all(place.datasets.map((dataset) =>
    ask('query', { dataset, limit: 1, columns: ['timestamp'], order: 'desc' }).then((answer) => answer.rows[0])
      .catch(() => null)));
  const times = newest.filter(Boolean).map((row) => parseTime(row.timestamp)).sort((a, b) => (a < b ? 1 : -1));
  const state = times.length
    ? nothing(words.overview.noneInTime(timeLabel(ctx, times[0])),
      linkTo(ctx, { ...address, page: 'logs', range: `${isoTime(times[0] - 3600n * 10n ** 9n)}..${isoTime(times[0] + 1n)}` }, words.overview.showNewest))
    : nothing(words.overview.nothingYet, linkTo(ctx, { ...address, page: 'send' }, words.overview.toSend, 'button main'));
  state.classList.add('wide');
  cards.prepend(state);
}

function card(ctx, address, dataset, place, ask, whenKnown) {
  const { field, bad } = ERRORS[dataset];
  const { body, element } = panel(words.datasets[dataset]);
  element.classList.add('card');
  const work = async () => {
    const step = stepFor(place.start, place.end, BARS);
    const range = { start: isoTime(place.start), end: isoTime(place.end) };
    const answer = await ask('summary', { dataset, ...range, where: '', filters: [], bucket: step, by: field, fields: [], values: 0 });
    whenKnown(answer.total);
    const errors = answer.bars.reduce((sum, bar) => sum + countOf(bar, (value) => bad.includes(value)), 0);
    const link = (filters) => ({ ...address, page: 'logs', dataset, q: '', filters, range: place.range, more: new Map() });
    const isBad = errors > 0;
    return [
      h('p', { class: 'figures' },
        linkTo(ctx, link([]), h('span', null, h('b', null, count(answer.total)), ' ', words.records(answer.total)), 'big'),
        linkTo(ctx, link([{ field, not: false, values: bad }]),
          words.overview.errorShare(share(errors, answer.total)), isBad ? 'badness' : 'soft')),
      Number(answer.total) ? bars(ctx, dataset, answer.bars, step, place) : h('p', { class: 'soft' }, words.overview.noneHere),
    ];
  };
  element.ready = show(body, work).then(() => !body.querySelector('.bad'));
  return element;
}

const countOf = (bar, test) => (bar.by ?? []).reduce((sum, part) => sum + (test(part.value) ? Number(part.count) : 0), 0);

function bars(ctx, dataset, list, step, place) {
  const { bad } = ERRORS[dataset];
  const times = bucketStarts(place.start, place.end, step);
  const at = new Map(list.map((bar) => [parseTime(bar.start), bar]));
  const values = (test) => times.map((time) => (at.has(time) ? test(at.get(time)) : 0));
  const errors = values((bar) => countOf(bar, (value) => bad.includes(value)));
  const others = values((bar) => Number(bar.count)).map((total, index) => total - errors[index]);
  const most = Math.max(...others.map((other, index) => other + errors[index]));
  return plot('bars', {
    times: times.map((time) => timeLabel(ctx, time, step)), stacked: true, format: figure,
    tick: (index) => tickOf(ctx, times[index], step),
    groups: [{ name: words.overview.errors, values: errors, colour: 'of-error' },
      { name: words.overview.others, values: others, colour: 'of-rest' }],
  }, words.overview.barsSentence(words.datasets[dataset], times.length, step, figure(most)));
}

async function mostErrors(ctx, address, place, ask) {
  const { bad } = ERRORS.logs;
  const length = place.end - place.start;
  const of = (start, end, more) => ask('query', {
    dataset: 'logs', start: isoTime(start), end: isoTime(end), group_by: ['service'],
    measures: [{ count: { where: { in: ['level', bad] } }, as: 'errors' }, { count: true, as: 'total' }],
    order_by: 'errors', limit: ROWS, ...more,
  });
  const { rows } = await of(place.start, place.end);
  const failing = rows.filter((row) => Number(row.errors) > 0);
  if (!failing.length) return nothing(words.overview.noErrors);
  const keys = failing.map((row) => row.service ?? null);
  const before = await of(place.start - length, place.start, { where: isOneOf('service', keys), limit: ROWS + 1 });
  const earlier = new Map(before.rows.map((row) => [row.service ?? null, row]));
  return table(words.overview.services, [{ title: words.overview.service }, { title: words.overview.errors, number: true },
    { title: words.overview.shareOfAll, number: true }, { title: words.overview.change, number: true }],
  failing.map((row, index) => {
    const filters = [{ field: 'level', not: false, values: bad },
      { field: 'service', not: false, values: [keys[index] ?? { json: 'null' }] }];
    return [
      linkTo(ctx, { ...address, page: 'logs', dataset: 'logs', filters, range: place.range, more: new Map() }, key(keys[index])),
      count(row.errors), share(row.errors, row.total),
      change(Number(row.errors), Number(earlier.get(keys[index])?.errors ?? 0)),
    ];
  }));
}

function change(now, before) {
  const difference = now - before;
  if (!difference) return h('span', { class: 'soft' }, words.overview.same);
  if (!before) return h('span', { class: 'rise' }, words.overview.appeared);
  const text = `${difference > 0 ? '+' : '−'}${count(Math.abs(difference))}`;
  return h('span', { class: difference > 0 ? 'rise' : 'fall', title: words.overview.before(count(before)) },
    `${difference > 0 ? '▲' : '▼'} ${text}`);
}

async function byCategory(ctx, address, place, ask) {
  const time = 'execution_time_seconds';
  const { rows } = await ask('query', {
    dataset: 'workflows', start: isoTime(place.start), end: isoTime(place.end), group_by: ['category'],
    measures: [{ count: true, as: 'count' }, { count: { where: { eq: ['status', 'SUCCESS'] } }, as: 'good' },
      { avg: time, as: 'avg' }, { quantile: [time, 0.95], as: 'p95' }], order_by: 'count', limit: ROWS * 2,
  });
  if (!rows.length) return nothing(words.overview.noRuns);
  const took = (seconds) => (seconds === null || seconds === undefined ? '–' : duration(Number(seconds) * 1000));
  return table(words.overview.runs, [{ title: words.overview.category }, { title: words.overview.runCount, number: true },
    { title: words.overview.success, number: true }, { title: words.overview.average, number: true },
    { title: words.overview.p95, number: true }], rows.map((row) => {
    const filters = [{ field: 'category', not: false, values: [row.category ?? { json: 'null' }] }];
    return [
      linkTo(ctx, { ...address, page: 'logs', dataset: 'workflows', filters, range: place.range, more: new Map() },
        key(row.category ?? null)),
      count(row.count), meter(Number(row.good), Number(row.count)), took(row.avg), took(row.p95),
    ];
  }));
}

function meter(part, whole) {
  const fill = h('i');
  fill.style.width = `${whole ? 100 * part / whole : 0}%`;
  return h('span', { class: 'metered' }, share(part, whole), h('span', { class: 'meter', 'aria-hidden': 'true' }, fill));
}

async function status(ask) {
  const now = await ask('status');
  const { disk, head, forwarding } = now;
  const facts = [];
  const add = (name, value) => facts.push(h('dt', null, name), h('dd', null, value));
  add(words.overview.state, h('span', { class: now.ready === false ? 'badness' : 'goodness' },
    now.ready === false ? words.overview.notReady : words.overview.ready));
  if (disk) add(words.overview.disk, words.overview.diskFree(bytes(disk.free_bytes), bytes(disk.used_bytes)));
  if (head) add(words.overview.head, words.overview.headHolds(many(head.rows, 'record', 'records'), bytes(head.bytes)));
  if (now.blocks !== undefined) add(words.overview.blocks, count(now.blocks));
  add(words.overview.forwarding, forwarding ? forwarder(forwarding) : words.overview.notForwarding);
  if (now.uptime_seconds !== undefined) add(words.overview.running, duration(Number(now.uptime_seconds) * 1000));
  if (now.version) add(words.overview.version, isolated(String(now.version)));
  const bad = (now.checks ?? []).filter((check) => check.ok === false);
  return [h('dl', { class: 'facts' }, facts),
    bad.length ? h('ul', { class: 'checks' }, bad.map((check) =>
      h('li', { class: 'badness' }, isolated(String(check.name)), check.detail ? [': ', isolated(String(check.detail))] : null))) : null];
}

/** What the server says of its forwarder, whichever figures it has. */
function forwarder(forwarding) {
  const said = Object.entries(forwarding).filter(([, value]) => value === null || typeof value !== 'object')
    .map(([name, value]) => [words.forwarder[name] ?? name.replaceAll('_', ' '), value]);
  return h('ul', { class: 'plain' }, said.map(([name, value]) => h('li', null, isolated(name), ': ', isolated(figureText(value)))));
}

const figureText = (value) => (typeof value === 'boolean' ? (value ? words.yes : words.no)
  : typeof value === 'string' ? value : figure(value));
