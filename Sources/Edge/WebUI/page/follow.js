// Live on the Logs page: joins the stream of new records to the rows of the query, each record once, and
// holds it while somebody reads.

import { Failure, serverNow } from './api.js';
import { h } from './dom.js';
import { Live } from './live.js';
import { datasetOf, whereText } from './query.js';
import { placeOf } from './rows.js';
import { highestOf, oldestOf } from './run.js';
import { T } from './texts.js';
import { parseTime, resolveRange } from './time.js';

const ROWS_MAX = 20_000;
const BARS_MAX = 300;
const FIELDS_SECONDS = 10;

export class Following {
  constructor(page) {
    this.page = page;
    this.state = 'opening';
    this.ready = false;
    this.highest = null;
    this.stop = new AbortController();
    const { dataset, q, filters } = page.address;
    const range = resolveRange(page.address.range, serverNow());
    this.start = range?.start ?? null;
    this.by = datasetOf(dataset).by;
    this.live = new Live(dataset, whereText(q, filters), {
      state: (state) => this.#state(state), open: () => this.#opened(), take: (items, letGo) =>
        this.#take(items, letGo),
      end: (failure) => page.failed('rows', failure), tick: () => this.#tick(),
    });
    this.live.hold(true);
  }

  close() {
    this.stop.abort();
    this.live.close();
  }

  words() {
    const { live, state } = this;
    return [h('span', { class: `live-state ${state}` }, T.logs.liveState[state]), T.logs.liveRate(live.rate)];
  }

  #state(state) {
    this.state = state;
    this.page.showStatusSoon();
  }

  /** The stream is open: what is written from now on comes by it, what is there already is asked for. */
  async #opened() {
    if (this.ready || this.asking) return;
    this.asking = true;
    const { page } = this;
    try {
      const { address } = page;
      const { signal } = this.stop;
      const [highest, oldest] = await Promise.all([highestOf(address, signal), this.start
        ?? oldestOf(address, signal)]);
      this.start = oldest ?? serverNow();
      this.#rebase(highest, []);
      this.ready = true;
      this.moved();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') page.failed('rows', failure);
    } finally {
      this.asking = false;
    }
  }

  /** Rows up to a position by the query, what is behind by the stream, of which `lines` are there. */
  #rebase(highest, lines, carried = null) {
    const { page } = this;
    this.highest = highest;
    page.run?.close();
    const run = page.startRun({ positionMax: highest, start: this.start, carried });
    page.list.show(run.rows, page.look());
    page.list.add(lines, true);
    if (!carried) for (const line of lines) this.#count(line);
  }

  #count(line) {
    if (typeof line !== 'string') return;
    const record = JSON.parse(line);
    this.page.run.bars?.add(parseTime(record.timestamp), record[this.by]);
  }

  /** What is read stays where it is: new records wait. */
  moved() {
    if (!this.ready) return;
    const { list } = this.page;
    this.live.hold(!list.view.atTop || list.view.hasSelection || list.chosen !== null);
    this.#drawWaiting();
  }

  #take(items, letGo) {
    const { page } = this;
    const { list, run } = page;
    const lines = [];
    for (const item of items) {
      if (typeof item !== 'string') {
        lines.push(item);
        continue;
      }
      const record = JSON.parse(item);
      if (BigInt(record.position) <= this.highest) continue;
      lines.push(item);
      if (!letGo) run.bars?.add(parseTime(record.timestamp), record[this.by]);
    }
    if (letGo) {
      const first = lines.find((line) => typeof line === 'string');
      if (first) this.#rebase(placeOf(first).position - 1n, lines);
      return;
    }
    list.add(lines, list.view.atTop);
    if (list.live.length > ROWS_MAX) this.#trim();
    page.refreshBars();
    page.showState();
    page.showStatusSoon();
  }

  /** The oldest of too many lines are left to the query. With `anew` all is counted again, by longer bars. */
  #trim(anew = false) {
    const { list, run } = this.page;
    const kept = list.live.slice(-ROWS_MAX / 2);
    const first = kept.find((line) => typeof line === 'string');
    if (!first) return;
    const left = list.live.slice(0, -kept.length).filter((line) => typeof line === 'string').length;
    const known = run.total !== null && run.share >= 1 && !anew;
    this.#rebase(placeOf(first).position - 1n, kept, known ? { bars: run.bars, total: run.total + left }
      : null);
  }

  #tick() {
    const { page } = this;
    if (page.run?.bars && this.ready && !document.hidden) {
      page.run.bars.extend(serverNow());
      page.refreshBars();
      if (page.run.bars.length > BARS_MAX && page.list.view.atTop) this.#trim(true);
    }
    this.#drawWaiting();
    page.showStatusSoon();
    this.ticks = (this.ticks ?? 0) + 1;
    if (this.ticks % FIELDS_SECONDS || !this.live.rate || document.hidden) return;
    page.run?.askFields(page.fields.shown, page.fields.values, true);
  }

  #drawWaiting() {
    const { page, live } = this;
    page.waiting.hidden = !live.held || !this.ready || !live.waiting;
    page.waiting.textContent = '↑ ' + T.logs.waiting(live.waiting);
  }
}
