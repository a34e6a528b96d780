// Bars of records by time: which bars a range has, their parts, where they lie, the ticks below. Pure: no
// document.

import { gradeOf } from './query.js';
import { clockParts, DAY, HOUR, MINUTE, offsetSeconds, parseTime, SECOND, stepLength } from './time.js';

/** From the base line upwards. */
export const GRADES = ['fatal', 'error', 'warn', 'info', 'debug', 'other'];

const CALENDAR = { day: 1, week: 7, month: 0, quarter: 0, year: 0 };
const floorTo = (value, step) => value - (((value % step) + step) % step);

/**
 * The beginnings of all bars that touch [start, end), ascending. Of the calendar: by a clock ahead by
 * `offset` seconds.
 */
export function edges(start, end, step, offset = 0) {
  const list = [];
  if (!Object.hasOwn(CALENDAR, step)) {
    const length = stepLength(step);
    for (let at = floorTo(start, length); at < end && list.length < 1000; at += length) list.push(at);
    return list;
  }
  const ahead = BigInt(offset) * SECOND;
  const day = floorTo(start + ahead, DAY);
  if (CALENDAR[step]) {
    // 1970 began on a Thursday; weeks begin on Monday.
    const first = step === 'week' ? floorTo(day + 3n * DAY, 7n * DAY) - 3n * DAY : day;
    const length = BigInt(CALENDAR[step]) * DAY;
    for (let at = first; at - ahead < end && list.length < 1000; at += length) list.push(at - ahead);
    return list;
  }
  const date = new Date(Number(day / 1_000_000n));
  const months = { month: 1, quarter: 3, year: 12 }[step];
  let month = date.getUTCFullYear() * 12 + date.getUTCMonth();
  for (month -= ((month % months) + months) % months; list.length < 1000; month += months) {
    const at = BigInt(Date.UTC(Math.floor(month / 12), month % 12, 1)) * 1_000_000n - ahead;
    if (at >= end) return list;
    list.push(at);
  }
  return list;
}

/** Bars of a range, filled from what `summary` says and by what comes live. */
export class Bars {
  constructor({ start, end, step, offset }) {
    Object.assign(this, { start, step, offset });
    this.edges = edges(start, end, step, offset);
    this.counts = this.edges.map(() => new Map());
    this.added = [];
    this.values = new Map();
    this.extend(end);
  }

  /** Moves the end; bars are added as needed. */
  extend(end) {
    this.end = end;
    for (const edge of edges(this.edges.at(-1) ?? this.start, end, this.step, this.offset)) {
      if (this.edges.length && edge <= this.edges.at(-1)) continue;
      this.edges.push(edge);
      this.counts.push(new Map());
    }
  }

  get length() {
    return this.edges.length;
  }

  /** The index of the bar of a time, -1 outside. */
  indexOf(time) {
    if (!this.length || time < this.edges[0]) return -1;
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.edges[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Takes `bars` of an answer of `summary`. */
  take(bars) {
    this.counts = this.edges.map(() => new Map());
    for (const { start, count, by } of bars) {
      const index = this.indexOf(parseTime(start));
      if (index < 0) continue;
      if (by) for (const part of by) this.#add(index, part.value, part.count);
      else this.#add(index, null, count);
    }
    this.added.forEach((counts, index) => {
      for (const [value, count] of counts) this.#add(index, value, count);
    });
  }

  /** One more record. */
  add(time, value) {
    if (time < this.start) return;
    if (time >= this.end) this.extend(time + 1n);
    const index = this.indexOf(time);
    if (index < 0) return;
    this.added[index] ??= new Map();
    this.added[index].set(value ?? null, (this.added[index].get(value ?? null) ?? 0) + 1);
    this.#add(index, value ?? null, 1);
  }

  #add(index, value, count) {
    const counts = this.counts[index];
    counts.set(value, (counts.get(value) ?? 0) + count);
    if (!this.values.has(value)) this.values.set(value, gradeOf(value) ?? 'other');
  }

  /** [{grade, count}] from the base line upwards, and their sum. */
  bar(index) {
    const parts = new Map();
    let total = 0;
    for (const [value, count] of this.counts[index]) {
      const grade = this.values.get(value);
      parts.set(grade, (parts.get(grade) ?? 0) + count);
      total += count;
    }
    return { total, parts: GRADES.filter((grade) => parts.has(grade)).map((grade) =>
      ({ grade, count: parts.get(grade) })) };
  }

  /** Records of the fullest bar. */
  most() {
    let most = 0;
    for (let index = 0; index < this.length; index += 1) most = Math.max(most, this.bar(index).total);
    return most;
  }

  /** Bounds of the bars `from` to `to`, both included, within the range. */
  bounds(from, to) {
    const start = this.edges[from] < this.start ? this.start : this.edges[from];
    const next = to + 1 < this.length ? this.edges[to + 1] : this.end;
    return { start, end: next > this.end ? this.end : next };
  }
}

/**
 * Rectangles {x, y, width, height, grade} for an area; `max` is the largest bar. What there is is at least
 * a pixel high, so that one error among a million is seen.
 */
export function layout(bars, width, height) {
  const whole = [];
  let max = 0;
  for (let index = 0; index < bars.length; index += 1) {
    whole.push(bars.bar(index));
    max = Math.max(max, whole[index].total);
  }
  const rectangles = [];
  const slot = width / Math.max(1, bars.length);
  const gap = slot >= 4 ? 1 : 0;
  whole.forEach(({ parts }, index) => {
    const x = Math.round(index * slot);
    const wide = Math.max(1, Math.round((index + 1) * slot) - x - gap);
    let y = height;
    for (const { grade, count } of parts) {
      const high = Math.min(y, Math.max(1, (count / max) * height));
      y -= high;
      rectangles.push({ x, y, width: wide, height: high, grade });
    }
  });
  return { rectangles, max, slot };
}

const TICKS = [1n, 2n, 5n, 10n, 15n, 30n].map((n) => n * SECOND).concat(
  [1n, 2n, 5n, 10n, 15n, 30n].map((n) => n * MINUTE), [1n, 2n, 3n, 6n, 12n].map((n) => n * HOUR),
  [1n, 2n, 7n, 14n, 30n, 91n, 182n, 365n, 730n].map((n) => n * DAY));

/** At most `most` ticks of a range on round times of the zone: [{time, text}]. */
export function ticks(start, end, zone, most) {
  const length = end - start;
  const step = TICKS.find((tick) => length / tick <= BigInt(most))
    ?? TICKS.at(-1) * (length / TICKS.at(-1) / BigInt(most) + 1n);
  const ahead = BigInt(offsetSeconds(zone, start)) * SECOND;
  const list = [];
  let lastDay = null;
  for (let at = floorTo(start + ahead, step) + step - ahead; at < end; at += step) {
    const { day, clock } = clockParts(at, zone);
    const short = step < MINUTE ? clock : clock.slice(0, 5);
    const isDay = step >= DAY || day !== lastDay;
    const text = step >= DAY ? day : isDay && (lastDay || length >= DAY) ? day.slice(5) + ' ' + short : short;
    lastDay = day;
    list.push({ time: at, text });
    if (list.length > most) break;
  }
  return list;
}
