// The list of records: a grid of rows, of which one has the focus and some may be chosen. Records that came
// live lie on top of those of the query.

import { fillCells } from './cells.js';
import { copyText, fill, h, say } from './dom.js';
import { parse, textOf, valueAt } from './json.js';
import { datasetOf } from './query.js';
import { placeOf } from './rows.js';
import { RowView } from './rowview.js';
import { plain } from './safe.js';
import { T } from './texts.js';
import { isoTime, parseTime } from './time.js';

const ROW_HEIGHT = 22;
const WIDTHS = { level: '3.6em', severity: '5.2em', status: '6em', service: '11em', container: '11em',
  session: '9em' };

export class RecordList {
  /** `on`: {open(index), focus(index), move(byUser), choose()}. */
  constructor(on) {
    this.on = on;
    this.rows = null;
    this.live = [];
    this.liveEnd = 0;
    this.focusKey = null;
    this.chosen = null;
    this.wrap = false;
    this.look = { dataset: 'logs', columns: [], patterns: [], zone: 'UTC', digits: 3, day: false };
    this.head = h('div', { class: 'rows-head', role: 'row' });
    this.view = new RowView({
      count: () => this.count, height: () => ROW_HEIGHT, varies: () => this.wrap, key: (index) =>
        this.key(index),
      draw: (index) => this.#draw(index), redraw: (element, index) => this.#redraw(element, index),
      want: (from, to) => this.#want(from, to),
    }, { head: this.head, onMove: (byUser) => on.move(byUser) });
    this.element = this.view.element;
    this.element.setAttribute('aria-label', T.logs.records);
    this.element.setAttribute('aria-multiselectable', 'true');
    this.view.layer.addEventListener('click', (event) => this.#clicked(event));
    this.view.layer.addEventListener('copy', (event) => this.#copied(event));
  }

  close() {
    this.view.close();
  }

  get count() {
    return this.live.length + (this.rows?.count ?? 0);
  }

  /** Names of rows that stay the same while others come on top. */
  key(index) {
    return index < this.live.length ? `l${this.liveEnd - index}` : `b${index - this.live.length}`;
  }

  indexOf(key) {
    if (key === null) return -1;
    const number = Number(key.slice(1));
    const index = key[0] === 'l' ? this.liveEnd - number : this.live.length + number;
    return index >= 0 && index < this.count && this.key(index) === key ? index : -1;
  }

  /** The row of a live record, -1 if there is none. */
  indexOfLive(position) {
    const sign = `"position":${position},`;
    const at = this.live.findLastIndex((line) => typeof line === 'string' && line.includes(sign) &&
      String(placeOf(line).position) === String(position));
    return at < 0 ? -1 : this.live.length - 1 - at;
  }

  get focusIndex() {
    return this.indexOf(this.focusKey);
  }

  line(index) {
    if (index < 0) return undefined;
    return index < this.live.length
      ? this.live[this.live.length - 1 - index] : this.rows?.line(index - this.live.length);
  }

  record(index) {
    const line = this.line(index);
    return typeof line === 'string' ? parse(line) : null;
  }

  /** Other rows, or the same in another look. */
  show(rows, look) {
    const other = rows !== this.rows;
    this.rows = rows;
    this.look = { ...this.look, ...look };
    if (other) {
      this.live = [];
      this.liveEnd = 0;
      this.focusKey = null;
      this.chosen = null;
      this.view.index = 0;
      this.view.offset = 0;
    }
    this.#drawHead();
    this.view.reset();
    if (other) this.view.settle();
    this.#describe();
  }

  setWrap(wrap) {
    this.wrap = wrap;
    this.element.classList.toggle('wrapped', wrap);
    this.view.reset();
  }

  changed() {
    this.#describe();
    this.view.redraw();
  }

  #describe() {
    const all = this.rows?.total;
    this.element.setAttribute('aria-rowcount', all === null || all === undefined ? '-1' : String(this.count
      + 1));
    this.element.setAttribute('aria-colcount', String(this.look.columns.length + 1));
  }

  #want(from, to) {
    const base = this.live.length;
    if (this.rows && to > base) this.rows.want(from - base, to - base);
  }

  #drawHead() {
    const { columns } = this.look;
    const { by } = datasetOf(this.look.dataset);
    this.element.classList.toggle('graded', columns.includes(by) && columns.at(-1) !== by);
    const time = this.look.day ? '13.5em' : this.look.digits > 3 ? '12em' : '8em';
    const flexible = columns.length ? columns.length - 1 : -1;
    const widths = columns.map((name, index) =>
      (index === flexible ? 'minmax(0, 1fr)' : `minmax(0, ${WIDTHS[name] ?? '10em'})`));
    this.element.style.setProperty('--columns', [`minmax(0, ${time})`, ...widths].join(' '));
    fill(this.head, [T.logs.time, ...columns].map((name, index) => h('span', {
      role: 'columnheader', class: name === by ? 'cell grade' : 'cell', 'aria-colindex': String(index + 1),
        title: plain(name),
    }, index ? say(name) : name)));
    this.head.setAttribute('aria-rowindex', '1');
  }

  #draw(index) {
    const element = h('div', { class: 'rec', role: 'row' });
    element.line = null;
    this.#redraw(element, index);
    return element;
  }

  #redraw(element, index) {
    const line = this.line(index);
    if (element.line !== line) {
      element.line = line;
      this.#fillRow(element, line);
    }
    element.id = 'row-' + this.key(index);
    const number = String(index + 2);
    if (element.getAttribute('aria-rowindex') !== number) element.setAttribute('aria-rowindex', number);
    const focused = this.key(index) === this.focusKey;
    if (element.classList.contains('focused') !== focused) element.classList.toggle('focused', focused);
    const chosen = this.isChosen(index);
    if (element.classList.contains('chosen') !== chosen) {
      element.classList.toggle('chosen', chosen);
      element.setAttribute('aria-selected', String(chosen));
    }
  }

  #fillRow(element, line) {
    if (line === undefined) {
      element.className = 'rec ghost';
      fill(element, h('span', { class: 'cell' }), this.look.columns.map(() => h('span', { class: 'cell' })));
    } else if (typeof line !== 'string') {
      element.className = 'rec missing';
      fill(element, h('span', { class: 'cell', role: 'gridcell' }, line.told ? T.logs.told[line.told]
        : T.logs.dropped(line.dropped)));
    } else {
      fillCells(element, parse(line), { ...this.look, wrap: this.wrap, wide: this.#wide() });
    }
  }

  /** About how many characters the last column shows. */
  #wide() {
    return Math.max(30, (this.view.width - 320) / 7.6);
  }

  #clicked(event) {
    const row = event.target instanceof Element ? event.target.closest('.rec') : null;
    if (!row || !row.rowKey || (this.view.hasSelection && !event.shiftKey)) return;
    const index = this.indexOf(row.rowKey);
    if (index < 0) return;
    if (event.shiftKey) {
      getSelection()?.removeAllRanges();
      this.chooseTo(index);
    } else {
      this.focus(index, { near: true });
      this.on.open(index);
    }
  }

  /** Moves the focus. */
  focus(index, { near = true, chosen = false } = {}) {
    if (!this.count) return;
    const row = Math.max(0, Math.min(index, this.count - 1));
    const had = this.chosen !== null && !chosen;
    if (had) this.chosen = null;
    this.focusKey = this.key(row);
    this.view.show(row, { near });
    this.view.draw();
    this.element.setAttribute('aria-activedescendant', 'row-' + this.focusKey);
    this.on.focus(row);
    if (had) this.on.choose();
  }

  /** Text that was selected over several rows is copied as whole lines. */
  #copied(event) {
    const selected = getSelection().getRangeAt(0);
    const rows = [...this.view.layer.children].filter((row) => selected.intersectsNode(row));
    const records = rows.map((row) => this.record(this.indexOf(row.rowKey))).filter(Boolean);
    if (records.length < 2) return;
    event.clipboardData.setData('text/plain', records.map((one) => this.plainLine(one)).join('\n'));
    event.preventDefault();
  }

  /** Chooses the rows from the focus to `index`. */
  chooseTo(index) {
    const from = this.chosen?.from ?? this.focusKey ?? this.key(this.view.index);
    this.chosen = { from, to: this.key(Math.max(0, Math.min(index, this.count - 1))) };
    this.focus(index, { chosen: true });
    this.on.choose();
  }

  clearChosen() {
    const had = this.chosen !== null;
    this.chosen = null;
    this.view.draw();
    if (had) this.on.choose();
    return had;
  }

  /** [first, last] of the chosen rows, or of the one with the focus. */
  get range() {
    const ends = this.chosen ? [this.indexOf(this.chosen.from), this.indexOf(this.chosen.to)]
      : [this.focusIndex, this.focusIndex];
    return ends[0] < 0 || ends[1] < 0 ? null : [Math.min(...ends), Math.max(...ends)];
  }

  isChosen(index) {
    if (!this.chosen) return false;
    const range = this.range;
    return range !== null && index >= range[0] && index <= range[1];
  }

  /** Copies the chosen rows, whole: as lines of text, or of JSON. Answers how many. */
  async copy(json) {
    const range = this.range;
    if (!range) return 0;
    const texts = [];
    for (let index = range[0]; index <= range[1]; index += 1) {
      const line = this.line(index);
      if (typeof line === 'string') texts.push(json ? line : this.plainLine(parse(line)));
    }
    return (await copyText(texts.join('\n') + (json ? '\n' : ''))) ? texts.length : 0;
  }

  plainLine(record) {
    const time = parseTime(record.timestamp);
    const values = this.look.columns.map((name) => textOf(valueAt(record, name)));
    return [time === null ? '' : isoTime(time), ...values].join('  ');
  }

  /**
   * Records that came live, oldest first: strings, or {dropped}. What is read stays where it is unless
   * `follow`.
   */
  add(lines, follow) {
    for (const line of lines) this.live.push(line);
    this.liveEnd += lines.length;
    this.view.inserted(lines.length, !follow);
    this.#describe();
  }
}
