// The rows of a query, as many as match: row 0 is the first of the list, each place exact. Pieces of 500 are
// fetched when wanted, 30,000 lines are kept as text. No document.
//
// A piece behind one that was seen follows its last (timestamp, position). Any other is found by counts:
// the bars say how many rows come before a bar, a bar that is too long is cut by a finer query.

import { call, Failure, lines } from './api.js';
import { valueAt } from './json.js';
import { behind, rowsQuery } from './query.js';
import { parseTime } from './time.js';

export const PIECE = 500;
const LINES_MAX = 30_000;
const SKIP_MAX = 2_000;
const PLACES_MAX = 50_000;
const RUNNING_MAX = 2;

/** (timestamp, position) of a record's line. */
export function placeOf(line) {
  const record = JSON.parse(line, (key, value, context) =>
    (key === 'position' && context ? context.source ?? value : value));
  return { time: parseTime(record.timestamp), position: BigInt(record.position) };
}

export class Rows {
  #pieces = new Map();
  #ends = new Map();
  #running = new Map();
  #wanted = [];
  #stop = new AbortController();

  /**
   * `query`: {dataset, where (text or undefined), start, end (or null), order}. `onChange()` when lines came,
   * `onFailure(failure)` when they did not.
   */
  constructor(query, { onChange, onFailure }) {
    this.query = query;
    this.total = null;
    this.bars = null;
    this.failure = null;
    this.incomplete = null;
    this.onChange = onChange;
    this.onFailure = onFailure;
  }

  close() {
    this.#stop.abort();
  }

  /** How many rows are known to be: all once the bars are there. */
  get count() {
    if (this.total !== null) return this.total;
    let most = 0;
    for (const [piece, { length }] of this.#pieces) most = Math.max(most, piece * PIECE + length);
    return most;
  }

  /** Whether the first piece has come. */
  get begun() {
    return this.#pieces.has(0) || this.total === 0;
  }

  line(index) {
    return this.#pieces.get(Math.floor(index / PIECE))?.[index % PIECE];
  }

  /** The row of a position that is loaded, -1 if it is not. */
  indexOfLoaded(position) {
    const sign = `"position":${position},`;
    for (const [piece, list] of this.#pieces) {
      const found = list.findIndex((line) => line.includes(sign)
        && String(placeOf(line).position) === String(position));
      if (found >= 0) return piece * PIECE + found;
    }
    return -1;
  }

  /** What the bars say, ascending: [{start, count}], `total` of them. */
  setBars(bars, total) {
    const ordered = this.query.order === 'desc' ? [...bars].reverse() : bars;
    let beforeIt = 0;
    this.bars = ordered.map(({ start, count }, index) => {
      const later = this.query.order === 'desc' ? ordered[index - 1]?.start : ordered[index + 1]?.start;
      const first = this.query.start !== null && start < this.query.start ? this.query.start : start;
      const bar = { start: first, end: later ?? this.query.end, count, before: beforeIt };
      beforeIt += count;
      return bar;
    });
    this.total = total;
    this.#checkEnd();
    this.onChange();
  }

  /**
   * Asks for the rows from `first` to `last` (not included); what was asked before and is elsewhere is
   * dropped.
   */
  want(first, last) {
    const most = this.total ?? Math.max(PIECE, this.count + PIECE);
    const pieces = [];
    for (let piece = Math.floor(Math.max(0, first) / PIECE); piece * PIECE < Math.min(last,
      most); piece += 1) {
      if (!this.#pieces.has(piece)) pieces.push(piece);
    }
    for (const [piece, stop] of this.#running) {
      if (!pieces.includes(piece) && piece !== 0) stop.abort();
    }
    this.#wanted = pieces.filter((piece) => !this.#running.has(piece));
    this.#next();
  }

  retry() {
    this.failure = null;
    this.onChange();
  }

  #next() {
    while (!this.failure && this.#wanted.length
      && this.#running.size < RUNNING_MAX) this.#load(this.#wanted.shift());
  }

  async #load(piece) {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#stop.signal]);
    this.#running.set(piece, stop);
    try {
      const answer = await this.#fetch(piece, signal);
      if (answer) this.#keep(piece, answer);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') {
        this.failure = failure;
        this.onFailure(failure);
      }
    } finally {
      this.#running.delete(piece);
    }
    if (this.#stop.signal.aborted) return;
    this.onChange();
    this.#next();
  }

  async #fetch(piece, signal) {
    const end = piece === 0 ? null : this.#ends.get(piece - 1);
    if (piece === 0 || end) return this.#ask(end, PIECE, 0, signal);
    if (!this.bars) return null;
    const { bar, skip } = await this.#bar(piece * PIECE, signal);
    if (skip <= SKIP_MAX) return this.#askFromBar(bar, PIECE + skip, skip, signal);
    const place = await this.#placeInBar(bar, skip, signal);
    return this.#ask(place, PIECE, 0, signal);
  }

  #where(more) {
    const { where } = this.query;
    if (!more) return where;
    return where ? `(${where}) and (${more})` : more;
  }

  async #lines(query, signal) {
    const answer = await lines('query', rowsQuery(query), { signal });
    if (answer.incomplete) this.incomplete = answer.incomplete;
    return answer.lines;
  }

  /** `limit` lines behind a place (null: from the first). */
  async #ask(place, limit, skip, signal) {
    const { order } = this.query;
    const bounds = {};
    if (place) bounds[order === 'desc' ? 'end' : 'start'] = order === 'desc' ? place.time + 1n : place.time;
    const where = this.#where(place ? behind(order, place) : null);
    return (await this.#lines({ ...this.query, ...bounds, where, limit }, signal)).slice(skip);
  }

  async #askFromBar(bar, limit, skip, signal) {
    const bounds = this.query.order === 'desc' ? { end: bar.end } : { start: bar.start };
    return (await this.#lines({ ...this.query, ...bounds, limit }, signal)).slice(skip);
  }

  /** The bar that row `index` is in, cut until few rows of it come before the row. */
  async #bar(index, signal) {
    for (;;) {
      const at = this.#barAt(index);
      const bar = this.bars[at];
      const skip = index - bar.before;
      const length = bar.end === null ? null : bar.end - bar.start;
      if (skip <= SKIP_MAX || length === null || length <= 1_000_000n || bar.whole) return { bar, skip };
      await this.#cut(at, length, signal);
    }
  }

  #barAt(index) {
    let low = 0;
    let high = this.bars.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.bars[middle].before <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Puts finer bars in the place of one. */
  async #cut(at, length, signal) {
    const bar = this.bars[at];
    const milliseconds = length / 1_000_000n / 500n || 1n;
    const body = {
      ...rowsQuery({ ...this.query, start: bar.start, end: bar.end }), bucket: `${milliseconds}ms`,
      measures: ['count'], order: this.query.order,
    };
    const { rows } = await call('POST', 'query', { body, signal });
    if (this.bars[at] !== bar) return;
    const step = milliseconds * 1_000_000n;
    let beforeIt = bar.before;
    const finer = rows.map(({ bucket, count }) => {
      const start = parseTime(bucket);
      const part = {
        start: start < bar.start ? bar.start : start, end: start + step < bar.end ? start + step : bar.end,
        count, before: beforeIt, whole: milliseconds === 1n,
      };
      beforeIt += count;
      return part;
    });
    this.bars.splice(at, 1, ...(finer.length ? finer : [{ ...bar, whole: true }]));
  }

  /** The place of the row before which `skip` rows of a bar that cannot be cut come. */
  async #placeInBar(bar, skip, signal) {
    let place = null;
    let rest = skip;
    while (rest > 0) {
      const limit = Math.min(rest, PLACES_MAX);
      const bounds = { start: bar.start, end: bar.end };
      const where = this.#where(place ? behind(this.query.order, place) : null);
      const columns = ['timestamp', 'position'];
      const found = await this.#lines({ ...this.query, ...bounds, where, limit, columns }, signal);
      if (!found.length) break;
      place = placeOf(found.at(-1));
      rest -= found.length;
    }
    return place;
  }

  #keep(piece, list) {
    this.#pieces.delete(piece);
    this.#pieces.set(piece, list);
    if (list.length === PIECE) this.#ends.set(piece, placeOf(list.at(-1)));
    this.#checkEnd();
    if (this.#pieces.size * PIECE <= LINES_MAX) return;
    let farthest = piece;
    for (const other of this.#pieces.keys()) {
      if (Math.abs(other - piece) > Math.abs(farthest - piece)) farthest = other;
    }
    this.#pieces.delete(farthest);
  }

  /** What was read is the truth: records may have come or gone since the bars were counted. */
  #checkEnd() {
    for (const [piece, list] of this.#pieces) {
      const end = piece * PIECE + list.length;
      if (list.length < PIECE && (list.length || piece === 0)) this.total = end;
      else if (this.total !== null && end > this.total) this.total = end;
    }
  }
}

/** A field of a line, for lists that need one only. */
export function fieldOf(line, path) {
  return valueAt(JSON.parse(line), path);
}
