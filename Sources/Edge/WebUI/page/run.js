// One answer of the Logs page: its rows, bars, counts and fields. A change of the question ends it and
// begins another.

import { call, events, Failure, lines, serverNow } from './api.js';
import { barsFor } from './barview.js';
import { parse } from './json.js';
import { before, conditionObject, datasetOf, rowsQuery, whereText } from './query.js';
import { Rows } from './rows.js';
import { isoTime, parseTime, resolveRange, SECOND, stepFor } from './time.js';

const VALUES_MAX = 100;

export class Run {
  #stop = new AbortController();

  /**
   * `asked`: {dataset, q, filters, range, order}; for live `positionMax`, nothing behind it, and `carried`,
   * {bars, total} that are known. `on`: {rows(), bars(), fields(list), failure(part, failure), done()};
   * `part` is rows, bars or range.
   */
  constructor(asked, { zone, fields, values, positionMax = null, start = null, carried = null }, on) {
    Object.assign(this, { asked, zone, on, positionMax, fieldNames: fields, values });
    this.began = performance.now();
    this.statistics = null;
    this.share = 1;
    this.total = null;
    this.bars = null;
    this.running = true;
    this.more = positionMax === null ? [] : [`position <= ${positionMax}`];
    this.where = whereText(asked.q, asked.filters, this.more);
    const bounds = resolveRange(asked.range, serverNow());
    this.bounds = bounds && { start: start ?? bounds.start, end: positionMax === null ? bounds.end : null };
    if (!bounds) {
      this.running = false;
      this.rows = null;
      on.failure('range', null);
      return;
    }
    this.rows = new Rows({ dataset: asked.dataset, where: this.where, order: asked.order, ...this.bounds }, {
      onChange: () => on.rows(), onFailure: (failure) => on.failure('rows', failure),
    });
    this.rows.want(0, 1);
    this.summarized = carried ? this.#carry(carried) : this.#summarize();
  }

  get signal() {
    return this.#stop.signal;
  }

  close() {
    this.running = false;
    this.#stop.abort();
    this.rows?.close();
  }

  async #carry({ bars, total }) {
    this.bars = bars;
    this.total = total;
    this.running = false;
    this.rows.setBars(total ? [{ start: this.bounds.start, count: total }] : [], total);
  }

  async #summarize() {
    try {
      const isLive = this.positionMax !== null;
      const { start, end } = isLive ? { start: this.bounds.start, end: serverNow() + SECOND }
        : this.bounds.start === null ? await this.#ends() : this.bounds;
      if (start === null) return this.#none();
      this.bars = barsFor(start, end, stepFor(start, end), this.zone);
      await this.#summary(this.#body(start, end), (answer) => this.#take(answer));
      if (this.share < 1 && !this.signal.aborted) throw new Failure('cut');
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') await this.#withoutBars(failure);
    }
    this.running = false;
    if (!this.signal.aborted) this.on.done();
    return undefined;
  }

  #none() {
    this.total = 0;
    this.rows.setBars([], 0);
    this.running = false;
    this.on.fields([]);
    this.on.done();
  }

  /** Bounds for bars: those of the range, else of the records. */
  async #ends() {
    const [first, last] = await Promise.all(['asc', 'desc'].map(async (order) => {
      const query = { dataset: this.asked.dataset, where: this.where, order, columns: ['timestamp'] };
      const record = await firstOf(query, this.signal);
      return record && parseTime(record.timestamp);
    }));
    return { start: first, end: last === null ? null : last + 1n };
  }

  #body(start, end) {
    const { dataset, q, filters } = this.asked;
    const body = {
      dataset, bucket: this.bars.step, by: datasetOf(dataset).by,
      fields: this.fieldNames, values: this.values,
    };
    if (['day', 'week', 'month', 'quarter',
      'year'].includes(this.bars.step)) body.utc_offset_seconds = this.bars.offset;
    const where = whereText(q, filters.filter(isBoundless), this.more);
    body.filters = filters.filter((filter) => !isBoundless(filter)).map(conditionObject);
    if (where) body.where = where;
    if (this.bounds.start !== null) body.start = isoTime(this.bounds.start);
    if (this.bounds.end !== null) body.end = isoTime(this.bounds.end);
    else if (this.positionMax === null) body.end = isoTime(end);
    if (this.bounds.start === null) body.start = isoTime(start);
    return body;
  }

  /** A summary by events, each whole and better than the one before. */
  #summary(body, take) {
    return events('POST', 'summary', {
      body, signal: this.signal, onEvent: ({ data }) => data && take(parse(data)),
    });
  }

  #take(answer) {
    this.share = Number(answer.share ?? 1);
    this.statistics = answer.statistics ?? this.statistics;
    this.bars.take(answer.bars);
    this.total = Number(answer.total);
    if (this.share >= 1) {
      const bars = answer.bars.map(({ start, count }) => ({ start: parseTime(start), count: Number(count) }));
      this.rows.setBars(bars, this.total);
    }
    this.on.bars();
    if (answer.fields) this.on.fields(answer.fields, false);
  }

  /** The rows do without the bars: one count is enough for their places. */
  async #withoutBars(failure) {
    this.bars = null;
    this.on.failure('bars', failure);
    if (failure.kind === 'away' || failure.kind === 'invalid' && failure.field === 'where') return;
    try {
      const total = await this.count(null);
      this.total = total;
      this.rows.setBars(total ? [{ start: this.bounds.start, count: total }] : [], total);
    } catch (second) {
      if (!(second instanceof Failure)) throw second;
    }
  }

  /** Values of some fields anew. `live`: with what came behind the rows. */
  async askFields(names, values, live = false) {
    const { start, end } = this.bounds;
    const body = { ...this.#body(start ?? this.bars?.start ?? 0n, end ?? serverNow()), fields: names,
      values: Math.min(values, VALUES_MAX) };
    delete body.bucket;
    delete body.by;
    delete body.utc_offset_seconds;
    if (live) body.where = whereText(this.asked.q, this.asked.filters.filter(isBoundless));
    try {
      await this.#summary(body, (answer) => this.on.fields(answer.fields ?? [], true));
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') this.on.failure('fields', failure);
    }
  }

  /** How many records come before a place in the order; of null: all. */
  async count(place) {
    const { dataset, order } = this.asked;
    const more = [...this.more, ...(place ? [before(order, place)] : [])];
    const body = { ...rowsQuery({ dataset, where: whereText(this.asked.q, this.asked.filters, more),
      ...this.bounds, order }),
      measures: ['count'] };
    delete body.limit;
    delete body.order;
    const { rows } = await call('POST', 'query', { body, signal: this.signal });
    return Number(rows[0].count);
  }

  /**
   * The first record behind a place (null: of all) that `condition` holds for, or null. `back`: before it,
   * the last.
   */
  async seek(condition, place, back = false) {
    const { dataset, order, q, filters } = this.asked;
    const turned = back ? (order === 'desc' ? 'asc' : 'desc') : order;
    const more = [...this.more, condition, place && before(back ? order : order === 'desc' ? 'asc' : 'desc',
      place)];
    const where = whereText(q, filters, more.filter(Boolean));
    return firstOf({ dataset, where, ...this.bounds, order: turned }, this.signal);
  }

  /**
   * A record anywhere: the nearest match outside of the range, else any of the dataset (`where` left out).
   */
  async nearest() {
    const { dataset } = this.asked;
    const { start, end } = this.bounds;
    const one = (query) => firstOf({ dataset, ...query }, this.signal);
    const { where } = this;
    const older = start === null ? null : await one({ where, end: start, order: 'desc' });
    const newer = older || end === null ? null : await one({ where, start: end, order: 'asc' });
    if (older ?? newer) return { match: older ?? newer, any: true };
    return { match: null, any: Boolean(await one({ order: 'desc' })) };
  }
}

async function firstOf(query, signal) {
  const answer = await lines('query', rowsQuery({ order: 'desc', limit: 1, ...query }), { signal });
  return answer.lines.length ? parse(answer.lines[0]) : null;
}

/** The record at a position, or null. */
export function recordAt(dataset, position, signal) {
  return firstOf({ dataset, where: `position = ${position}` }, signal);
}

/** The time of the oldest match, or null. */
export async function oldestOf({ dataset, q, filters }, signal) {
  const query = { dataset, where: whereText(q, filters), order: 'asc', columns: ['timestamp'] };
  const record = await firstOf(query, signal);
  return record && parseTime(record.timestamp);
}

/** The highest position that matches, or -1. */
export async function highestOf({ dataset, q, filters }, signal) {
  const body = { dataset, where: whereText(q, filters), measures: [{ max: 'position', as: 'position' }] };
  const { rows } = await call('POST', 'query', { body, signal });
  return BigInt(String(rows[0]?.position ?? -1));
}

/** Negated bounds are no filter of `summary`: they go with the text. */
function isBoundless({ values, exists, not }) {
  return !values && !exists && Boolean(not);
}
