// A chart of one's own, those that are there from the start, and boards.

import { call } from './api.js';
import { board, boardsOf, putOnBoard } from './boards.js';
import { FIELD_MEASURES, READY, measureParts } from './chart-data.js';
import { chartNodes, chartOf, titleOf } from './chart-view.js';
import { fill, h, isolated, say } from './dom.js';
import { choice, labelled, nothing, panel, select, show } from './parts.js';
import { datasetsOf, linkTo, rangeChoice } from './place.js';
import { words } from './texts-pages.js';

const NAMES = ['measure', 'by', 'bucket', 'as', 'title'];

/** The address of a chart; its range is the address's own unless it names one. */
export function chartAddress(address, chart) {
  const more = new Map();
  for (const name of NAMES) if (chart[name]) more.set(name, chart[name]);
  return { ...address, page: 'charts', dataset: chart.dataset, q: chart.q ?? '', filters: [], more };
}

const askedChart = (address) => (address.more.has('measure')
  ? chartOf({ ...Object.fromEntries(address.more), dataset: address.dataset, q: address.q }) : null);

function chartAt(address, datasets) {
  const asked = askedChart(address);
  if (asked) return asked;
  const first = READY.find((chart) => datasets.includes(chart.dataset) && chart.dataset === address.dataset)
    ?? READY.find((chart) => datasets.includes(chart.dataset)) ?? READY.at(-1);
  return chartOf({ ...first, q: '' });
}

export function page(ctx) {
  const head = h('header', { class: 'page-head' });
  const side = h('aside', { class: 'side' });
  const form = h('form', { class: 'chart-form' });
  const actions = h('span', { class: 'tools' });
  const drawn = panel('', { wide: true, actions });
  const editor = h('div', { class: 'chart-page' }, side, h('div', { class: 'chart-main' }, form,
    drawn.element));
  const boardBody = h('div');
  const element = h('div', { class: 'page' }, head, editor, boardBody);
  let stop = new AbortController();

  function update(address) {
    stop.abort();
    stop = new AbortController();
    const name = address.more.get('board');
    const isBoard = name !== undefined;
    editor.hidden = isBoard;
    boardBody.hidden = !isBoard;
    if (isBoard) {
      fill(head, h('h1', null, words.charts.title));
      board(ctx, boardBody, address, name, stop.signal);
      return;
    }
    const datasets = datasetsOf(ctx);
    const chart = chartAt(address, datasets);
    const range = rangeChoice(ctx, address, '24h');
    fill(head, h('h1', null, words.charts.title), range.element);
    fill(form, controls(ctx, address, chart, datasets, stop.signal));
    form.onsubmit = (event) => event.preventDefault();
    sidebar(ctx, side, address, chart, stop.signal);
    const title = titleOf(chart);
    fill(drawn.heading, say(title));
    fill(actions, tools(ctx, address, chart));
    if (address.more.has('measure') && !askedChart(address)) fill(drawn.body,
      nothing(words.charts.brokenChart));
    else show(drawn.body, () => chartNodes(ctx, chart, range, stop.signal), { quiet: true });
  }

  return { element, update, leave: () => stop.abort(), title: (address) =>
    address.more.get('board') ?? words.charts.title };
}

function sidebar(ctx, side, address, chart, signal) {
  const known = datasetsOf(ctx);
  const ready = READY.filter((one) => known.includes(one.dataset)).map((one) => {
    const isIt = ['dataset', 'measure', 'by', 'bucket', 'as'].every((name) => one[name] === chart[name])
      && !chart.q;
    const link = linkTo(ctx, chartAddress({ ...address, range: one.range }, { ...one, title: '' }),
      words.charts.readyNames[one.id]);
    if (isIt) link.setAttribute('aria-current', 'true');
    return h('li', null, link);
  });
  const boards = h('div');
  fill(side, h('h2', null, words.charts.ready), h('ul', { class: 'links' }, ready),
    h('h2', null, words.charts.boards), boards);
  show(boards, async () => {
    const list = await boardsOf(signal);
    if (!list.length) return h('p', { class: 'soft' }, words.charts.noBoards);
    return h('ul', { class: 'links' }, list.map((one) => h('li', null,
      linkTo(ctx, { ...address, dataset: 'logs', q: '', more: new Map([['board', one.name]]) },
        isolated(one.name)),
      h('span', { class: 'soft' }, ' ', words.charts.boardCount(one.charts.length)))));
  });
}

function controls(ctx, address, chart, datasets, signal) {
  const go = (changes, replaced = {}) => ctx.go(chartAddress({ ...address, ...replaced },
    { ...chart, title: '', ...changes }));
  const [name, field] = measureParts(chart.measure);
  const names = h('datalist', { id: 'chart-fields' });
  loadFields(names, chart.dataset, signal);
  const input = (value, change, more = {}) => h('input', {
    type: 'text', value, list: 'chart-fields', autocomplete: 'off', spellcheck: 'false', class: 'mono',
    onchange: (event) => change(event.target.value.trim()), ...more,
  });
  const measure = select(Object.entries(words.charts.measures), name, (value) => {
    go({ measure: FIELD_MEASURES.includes(value) ? `${value}:${field || usualField(chart.dataset)}`
      : value });
  });
  const buckets = Object.entries(words.charts.buckets);
  if (!words.charts.buckets[chart.bucket]) buckets.push([chart.bucket, chart.bucket]);
  return [names,
    labelled(words.charts.dataset, select(datasets.map((one) => [one, words.datasets[one]]), chart.dataset,
      (dataset) =>
      go({ dataset, measure: 'count', by: '', q: '' }))),
    labelled(words.charts.measure, measure),
    FIELD_MEASURES.includes(name) ? labelled(words.charts.field, input(field, (value) =>
      go({ measure: `${name}:${value}` }))) : null,
    labelled(words.charts.by, input(chart.by, (by) => go({ by }), { placeholder: words.charts.byNothing })),
    labelled(words.charts.bucket, select(buckets, chart.bucket, (bucket) => go({ bucket }))),
    labelled(words.charts.filter, input(chart.q, (q) => go({ q }), { placeholder: 'level = ERROR', list: null,
      title: words.charts.filterHint, class: 'mono filter' })),
  ];
}

/** How the chart is drawn, and where it is kept. */
function tools(ctx, address, chart) {
  const kinds = choice(words.charts.as, Object.entries(words.charts.kinds), chart.as, (as) =>
    ctx.go(chartAddress(address, { ...chart, as })));
  return [kinds, h('button', {
    type: 'button',
    onclick: async () => {
      const put = await putOnBoard(chart);
      if (put) ctx.go({ ...address, q: '', dataset: 'logs', more: new Map([['board', put]]) });
    },
  }, words.charts.toBoard)];
}

const usualField = (dataset) => (dataset === 'workflows' ? 'execution_time_seconds' : dataset === 'logs'
  ? 'metadata.duration_ms' : '');

async function loadFields(list, dataset, signal) {
  try {
    const { fields } = await call('GET', `fields?dataset=${dataset}`, { signal });
    fill(list, fields.filter((field) => field.type !== 'object').map((field) =>
      h('option', { value: String(field.name) })));
  } catch {
    // Names are a help only: without them they are written by hand.
  }
}
