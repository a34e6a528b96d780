// The parts of the Logs page, put together; what they tell goes to the page (logs.js).

import { toggledFilter } from './address.js';
import { BarView } from './barview.js';
import { Chips } from './chips.js';
import { Detail } from './detail.js';
import { h, icon, later } from './dom.js';
import { FieldsPanel } from './fields.js';
import { FilterBox } from './filterbox.js';
import { RecordList } from './list.js';
import { RangePicker } from './range.js';
import { showStatus } from './status.js';
import { T } from './texts.js';
import { rangeText } from './time.js';
import { Tools } from './tools.js';

export function build(page) {
  const { ctx } = page;
  const go = (changes, options) => page.go(changes, options);
  page.dataset = h('select', { class: 'dataset', 'aria-label': T.logs.datasets,
    onchange: () => go({ dataset: page.dataset.value, q: '', filters: [], columns: null }) });
  page.filter = new FilterBox({ onRun: (q) => page.ask(q), ask: () => page.completion() });
  page.range = new RangePicker({
    zone: ctx.zone, onChoose: (range) => go({ range }), onZone: (zone) => ctx.setZone(zone),
  });
  page.liveButton = h('button', { type: 'button', class: 'live', 'aria-pressed': 'false', title: 'l',
    onclick: () => page.toggleLive() }, h('span', { class: 'live-dot' }), T.logs.live);
  page.runButton = h('button', { type: 'button', class: 'main run', onclick: () => page.runOrStop() },
    T.logs.run);
  page.fieldsButton = h('button', { type: 'button', class: 'only-narrow', onclick: () => page.showFields(),
    'aria-expanded': 'false' }, icon('filter'), T.logs.showFields);
  page.chips = new Chips({ onChange: (filters) => go({ filters }) });
  page.bars = new BarView({ onChoose: (start, end) => go({ range: rangeText(start, end) }) });
  page.status = h('div', { class: 'status', role: 'status' });
  page.tools = new Tools(page);
  page.banner = h('div', { class: 'banner', role: 'alert', hidden: true });
  page.state = h('div', { class: 'state', hidden: true });
  page.waiting = h('button', { type: 'button', class: 'waiting', hidden: true, onclick: () =>
    page.moves.toTop() });
  page.list = new RecordList({
    open: (index) => page.moves.open(index), focus: (index) => page.moves.focused(index),
    move: () => page.following?.moved(), choose: () => page.tools.drawChosen(),
  });
  page.fields = new FieldsPanel({
    onToggle: (field, value, not) => go({ filters: toggledFilter(page.address.filters, field, value, not) }),
    onBound: (field, ge) => go({ filters: [...page.address.filters, { field, not: false, ge, lt: null }] }),
    onColumn: (name) => page.toggleColumn(name),
    onOpen: (names, values) => page.run?.askFields(names, values),
  });
  page.detail = new Detail({
    close: () => page.moves.close(), column: (name) => page.toggleColumn(name),
    around: (record) => page.moves.around(record),
    filter: (field, value, not) => go({ filters: toggledFilter(page.address.filters, field, value, not) }),
    next: (by) => page.moves.step(by),
    traceHref: (record) => ctx.href({ page: 'trace', q: '', filters: [], columns: null,
      range: page.address.range,
      more: new Map([['id', record.trace_id ?? record.ticket_id]]) }),
  });
  page.centre = h('div', { class: 'centre' }, page.banner, page.tools.chosen, page.tools.findBar,
    page.list.element,
    page.waiting, page.state);
  page.element = h('div', { class: 'logs' }, h('h1', { class: 'unseen' }, T.pages.logs),
    h('div', { class: 'ask' }, page.dataset, page.filter.element, page.range.element, page.liveButton,
      page.runButton),
    page.chips.element, page.bars.element,
    h('div', { class: 'line' }, page.status, h('span', { class: 'gap' }), page.fieldsButton,
      page.tools.element),
    h('div', { class: 'panes' }, page.fields.element, page.centre, page.detail.element));
  page.showStatusSoon = later(0, () => showStatus(page));
  page.refreshBars = later(200, () => page.bars.show({}));
}
