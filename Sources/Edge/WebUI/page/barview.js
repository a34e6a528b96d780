// Bars on a canvas: dragging or the keyboard chooses a part of the time, snapped to bars; a table says the
// same.

import { Bars, GRADES, layout, ticks } from './bars.js';
import { announce, eachFrame, fill, h, say } from './dom.js';
import { dialog } from './overlay.js';
import { T, count } from './texts.js';
import { fullTime, offsetSeconds, zoneName } from './time.js';

const HEIGHT = 52;
const BELOW = 16;

export class BarView {
  /** `onChoose(start, end)`: a part of the time was chosen. */
  constructor({ onChoose }) {
    this.onChoose = onChoose;
    this.bars = null;
    this.chosen = null;
    this.zone = 'UTC';
    this.by = '';
    this.canvas = h('canvas', {
      class: 'bars-canvas', tabIndex: 0, role: 'img', 'aria-label': T.logs.bars,
      onpointerdown: (event) => this.#down(event), onpointermove: (event) => this.#move(event),
      onpointerup: (event) => this.#up(event), onpointerleave: () => this.#hover(null),
      onpointercancel: () => this.#cancel(), onkeydown: (event) => this.#key(event), onblur: () =>
        this.#hover(null),
    });
    this.tip = h('div', { class: 'bars-tip', hidden: true });
    this.words = h('div', { class: 'bars-words', hidden: true });
    this.tableButton = h('button', {
      type: 'button', class: 'quiet small bars-table', onclick: () => this.#table(),
    }, T.logs.table);
    this.element = h('section', { class: 'bars', 'aria-label': T.logs.bars }, this.canvas, this.tip,
      this.words,
      this.tableButton);
    this.redraw = eachFrame(() => this.drawNow());
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.element);
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.onScheme = () => this.restyle();
    this.scheme.addEventListener('change', this.onScheme);
  }

  close() {
    this.observer.disconnect();
    this.scheme.removeEventListener('change', this.onScheme);
  }

  restyle() {
    this.colours = null;
    this.redraw();
  }

  /** Shows bars, or words instead. */
  show({ bars, zone, by, words = null, stale = false }) {
    if (bars !== undefined) this.bars = bars;
    this.zone = zone ?? this.zone;
    this.by = by ?? this.by;
    this.element.classList.toggle('stale', stale);
    this.words.hidden = words === null;
    fill(this.words, words);
    this.tableButton.hidden = !this.bars || words !== null;
    this.redraw();
  }

  #colour(name) {
    if (!this.colours) {
      this.colours = new Map();
      const probe = h('span', {});
      this.element.append(probe);
      for (const one of [...GRADES.map((grade) => '--bar-' + grade), '--soft', '--line', '--accent',
        '--text']) {
        probe.style.color = `var(${one})`;
        this.colours.set(one, getComputedStyle(probe).color);
      }
      probe.remove();
    }
    return this.colours.get(name);
  }

  drawNow() {
    const width = this.element.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    const { canvas } = this;
    if (canvas.width !== Math.round(width * ratio)
      || canvas.height !== Math.round((HEIGHT + BELOW) * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round((HEIGHT + BELOW) * ratio);
    }
    const area = canvas.getContext('2d');
    area.setTransform(ratio, 0, 0, ratio, 0, 0);
    area.clearRect(0, 0, width, HEIGHT + BELOW);
    if (!this.bars) return;
    area.font = `11px ${getComputedStyle(this.element).fontFamily}`;
    const most = this.bars.most();
    this.left = Math.ceil(area.measureText(count(most)).width) + 10;
    const { left } = this;
    const { rectangles, max, slot } = layout(this.bars, width - left, HEIGHT - 4);
    this.slot = slot;
    area.fillStyle = this.#colour('--line');
    area.fillRect(left, HEIGHT, width - left, 1);
    if (max) area.fillRect(left - 5, 3, 5, 1);
    for (const grade of GRADES) {
      area.fillStyle = this.#colour('--bar-' + grade);
      for (const one of rectangles) {
        if (one.grade === grade) area.fillRect(left + one.x, one.y + 4, one.width, one.height);
      }
    }
    if (this.chosen) {
      const [from, to] = this.chosen;
      const [x, wide] = [left + from * slot, (to - from + 1) * slot];
      area.fillStyle = this.#colour('--accent');
      area.globalAlpha = 0.25;
      area.fillRect(x, 0, wide, HEIGHT);
      area.globalAlpha = 1;
      for (const edge of [x, x + wide - 1]) area.fillRect(Math.round(edge), 0, 1, HEIGHT);
    }
    this.#labels(area, width, max);
    this.#describe(max);
  }

  #labels(area, width, max) {
    const { bars, left } = this;
    area.fillStyle = this.#colour('--soft');
    area.textBaseline = 'top';
    const first = bars.edges[0];
    const last = bars.bounds(bars.length - 1, bars.length - 1).end;
    const length = Number(last - first) || 1;
    area.textAlign = 'left';
    for (const { time, text } of ticks(first, last, this.zone, Math.max(2, Math.floor(width / 110)))) {
      const x = left + (Number(time - first) / length) * (width - left);
      area.fillRect(Math.round(x), HEIGHT, 1, 4);
      const wide = area.measureText(text).width;
      if (x + wide + 6 < width) area.fillText(text, x + 4, HEIGHT + 4);
    }
    area.textAlign = 'right';
    if (max) area.fillText(count(max), left - 7, 0);
  }

  #describe(max) {
    const { bars } = this;
    const all = bars.bounds(0, bars.length - 1);
    let total = 0;
    let top = 0;
    for (let index = 0; index < bars.length; index += 1) {
      const bar = bars.bar(index);
      total += bar.total;
      if (bar.total === max && max && !top) top = index;
    }
    this.canvas.setAttribute('aria-label', T.logs.barsSay(
      count(total), bars.length, fullTime(all.start, this.zone, 0), fullTime(all.end, this.zone, 0),
      max ? fullTime(bars.edges[top], this.zone, 0) : null, count(max)));
  }

  #indexAt(event) {
    if (!this.bars || !this.slot) return -1;
    const x = event.clientX - this.canvas.getBoundingClientRect().left - this.left;
    return Math.max(0, Math.min(this.bars.length - 1, Math.floor(x / this.slot)));
  }

  #down(event) {
    const index = this.#indexAt(event);
    if (index < 0 || event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.from = index;
    this.#choose(index, index);
  }

  #move(event) {
    const index = this.#indexAt(event);
    if (index < 0) return;
    if (this.from !== undefined) this.#choose(Math.min(this.from, index), Math.max(this.from, index));
    this.#hover(index);
  }

  #up() {
    if (this.from === undefined) return;
    this.from = undefined;
    this.#take();
  }

  #cancel() {
    this.from = undefined;
    this.chosen = null;
    this.redraw();
  }

  #choose(from, to) {
    this.chosen = [from, to];
    this.redraw();
  }

  #take() {
    const { start, end } = this.bars.bounds(...this.chosen);
    this.chosen = null;
    this.#hover(null);
    this.redraw();
    this.onChoose(start, end);
  }

  #hover(index) {
    this.tip.hidden = index === null;
    if (index === null) return;
    const [from, to] = this.from === undefined ? [index, index] : this.chosen;
    const { start, end } = this.bars.bounds(from, to);
    const sums = new Map();
    let total = 0;
    for (let at = from; at <= to; at += 1) {
      for (const [value, number] of this.bars.counts[at]) {
        sums.set(value, (sums.get(value) ?? 0) + number);
        total += number;
      }
    }
    fill(this.tip, h('div', {}, this.#span(start, end)), h('div', {}, h('strong', {}, count(total))),
      [...sums].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([value, number]) =>
        h('div', { class: 'bars-part' }, h('span', { class: 'dot d-' + this.bars.values.get(value) }),
          h('bdi', {}, value === null ? T.logs.missing : say(String(value))), h('span', { class: 'number' },
            count(number)))));
    const at = this.left + ((from + to + 1) / 2) * this.slot;
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = Math.max(half + 4, Math.min(this.element.clientWidth - half - 4, at)) + 'px';
  }

  #span(start, end) {
    const [a, b] = [fullTime(start, this.zone, 3), fullTime(end, this.zone, 3)];
    const digits = a.endsWith('.000') && b.endsWith('.000') ? 19 : 23;
    return `${a.slice(0, digits)} – ${b.slice(a.slice(0, 10) === b.slice(0, 10) ? 11 : 0, digits)}`;
  }

  #key(event) {
    if (!this.bars || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      const limit = (index) => Math.max(0, Math.min(this.bars.length - 1, index));
      const head = limit((this.head ?? this.bars.length) + step);
      this.anchor = event.shiftKey && this.anchor !== undefined ? this.anchor : head;
      this.head = head;
      this.#choose(Math.min(this.anchor, head), Math.max(this.anchor, head));
      this.#hover(head);
      announce(this.tip.textContent);
    } else if (event.key === 'Enter' && this.chosen) {
      this.#take();
    } else if (event.key === 'Escape' && this.chosen) {
      this.#cancel();
      this.#hover(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #table() {
    const { bars, zone } = this;
    const values = [...bars.values.keys()];
    return dialog(T.logs.bars, () => h('table', { class: 'counts' },
      h('caption', {}, zoneName(zone, bars.end)),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, T.logs.time), h('th',
        { scope: 'col', class: 'number' }, T.logs.records),
        values.map((value) => h('th', { scope: 'col', class: 'number' }, value === null ? T.logs.missing
          : say(String(value)))))),
      h('tbody', {}, bars.edges.map((edge, index) => h('tr', {},
        h('th', { scope: 'row' }, fullTime(edge, zone, bars.step.endsWith('ms') ? 3 : 0)),
        h('td', { class: 'number' }, count(bars.bar(index).total)),
        values.map((value) => h('td', { class: 'number' }, count(bars.counts[index].get(value) ?? 0))))))));
  }
}

/** Empty bars of a range, by the calendar of a zone. */
export function barsFor(start, end, step, zone) {
  return new Bars({ start, end, step, offset: offsetSeconds(zone, end) });
}
