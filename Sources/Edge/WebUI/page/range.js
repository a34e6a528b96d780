// The choice of a time: lengths up to now, any two times, earlier and later, zoom; the zone of all times.

import { h, icon } from './dom.js';
import { serverNow } from './api.js';
import { closePopup, popup } from './overlay.js';
import { T } from './texts.js';
import { fullTime, isZone, localZone, parseLength, rangeText, readTime, resolveRange,
  zoneName } from './time.js';

const LENGTHS = ['5m', '15m', '1h', '6h', '24h', '7d', '30d', '365d', 'all'];

export class RangePicker {
  /** `onChoose(range)`, `onZone(zone)`; `zone()` the zone of all times. */
  constructor({ onChoose, onZone, zone }) {
    Object.assign(this, { onChoose, onZone, zone });
    this.range = '1h';
    this.button = h('button', { type: 'button', class: 'when', 'aria-haspopup': 'dialog', onclick: () =>
      this.#open() });
    this.element = h('div', { class: 'joined' }, this.button,
      h('button', { type: 'button', class: 'square', title: `${T.logs.earlier} ([)`,
        'aria-label': T.logs.earlier,
        onclick: () => this.move(-1) }, icon('left')),
      h('button', { type: 'button', class: 'square', title: `${T.logs.later} (])`, 'aria-label': T.logs.later,
        onclick: () => this.move(1) }, icon('right')));
  }

  show(range) {
    this.range = range;
    this.button.replaceChildren(this.text(range), icon('down'));
  }

  text(range) {
    if (T.logs.ranges[range]) return T.logs.ranges[range];
    if (parseLength(range)) return T.logs.last(range);
    const bounds = resolveRange(range, serverNow());
    if (!bounds) return T.logs.noRange;
    const [start, end] = [fullTime(bounds.start, this.zone()), fullTime(bounds.end, this.zone())];
    const short = (text) => text.replace(/(:00)?\.0+$/, '').replace(/(\.\d*?)0+$/, '$1');
    return `${short(start)} – ${short(start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end)}`;
  }

  #bounds() {
    const bounds = resolveRange(this.range, serverNow());
    return bounds && bounds.start !== null ? bounds : null;
  }

  /** By its own length earlier (-1) or later (1). */
  move(direction) {
    const bounds = this.#bounds();
    if (!bounds) return;
    const length = (bounds.end - bounds.start) * BigInt(direction);
    this.onChoose(rangeText(bounds.start + length, bounds.end + length));
  }

  /** Half (1) or twice (-1) the time, around its middle. */
  zoom(direction) {
    const bounds = this.#bounds();
    if (!bounds) return;
    const length = bounds.end - bounds.start;
    if (direction > 0 && length < 4n) return;
    const by = direction > 0 ? -(length / 4n) : length / 2n;
    this.onChoose(rangeText(bounds.start - by, bounds.end + by));
  }

  #open() {
    const bounds = this.#bounds();
    const zone = this.zone();
    const now = serverNow();
    const input = (label, time) => {
      const box = h('input', { value: time === null ? '' : fullTime(time, zone).replace(/\.?0+$/, ''),
        spellcheck: 'false' });
      return [h('label', { class: 'field' }, h('span', {}, label), box), box];
    };
    const [startField, start] = input(T.logs.from, bounds?.start ?? null);
    const [endField, end] = input(T.logs.to, bounds?.end ?? null);
    const fault = h('div', { class: 'fault', role: 'alert' });
    const take = () => {
      const [first, second] = [readTime(start.value, zone, now), readTime(end.value || 'now', zone, now)];
      const wrong = first === null ? start : second === null ? end : null;
      if (wrong || second <= first) {
        fault.textContent = wrong ? T.logs.noTime : T.logs.noOrder;
        (wrong ?? end).focus();
        return;
      }
      closePopup();
      this.onChoose(rangeText(first, second));
    };
    const zones = [['local', `${T.logs.local}: ${localZone()}`], ['UTC', 'UTC']];
    if (zone !== 'UTC' && zone !== localZone()) zones.push([zone, zone]);
    const chooser = h('select', { onchange: () => {
      if (chooser.value !== '') return this.#zone(chooser.value);
      other.hidden = false;
      other.focus();
      return undefined;
    } }, zones.map(([value, label]) => h('option', { value,
      selected: (value === 'local' ? localZone() : value) === zone }, label)),
    h('option', { value: '' }, T.logs.otherZone));
    const other = h('input', { hidden: true, placeholder: 'Europe/Berlin', 'aria-label': T.logs.otherZone,
      list: 'zones',
      onchange: () => (isZone(other.value) ? this.#zone(other.value) : other.setAttribute('aria-invalid',
        'true')) });
    popup(this.button, h('form', { class: 'range-form', onsubmit: (event) => {
      event.preventDefault();
      take();
    } },
    h('div', { class: 'range-lengths' }, LENGTHS.map((length) => h('button', {
      type: 'button', class: 'quiet', 'aria-pressed': String(length === this.range),
        'data-first': length === this.range,
      onclick: () => {
        closePopup();
        this.onChoose(length);
      },
    }, T.logs.ranges[length]))),
    h('div', { class: 'range-exact' }, startField, endField, h('p', { class: 'hint' }, T.logs.timeHint),
      fault,
      h('button', { class: 'main' }, T.logs.apply),
      h('label', { class: 'field' }, h('span', {}, T.logs.zone), chooser), other,
      h('datalist', { id: 'zones' }, (Intl.supportedValuesOf?.('timeZone') ?? []).map((value) => h('option',
        { value }))),
      h('p', { class: 'hint' }, zoneName(zone, now)))), { label: T.logs.time });
  }

  #zone(zone) {
    closePopup();
    this.onZone(zone);
  }
}
