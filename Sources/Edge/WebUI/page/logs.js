// The Logs page: filter, conditions, bars, fields, rows, one record, live. Everything that is seen follows
// from the address; the parts are modules of their own, this one leads them.

import { addressText } from './address.js';
import { serverNow } from './api.js';
import { announce, fill, h, icon } from './dom.js';
import { FilterBox } from './filterbox.js';
import { Following } from './follow.js';
import { build } from './logs-parts.js';
import { Moves } from './moves.js';
import { note } from './overlay.js';
import { datasetOf, findPattern, needles } from './query.js';
import { recordAt, Run } from './run.js';
import { stateOf } from './states.js';
import { showStatus, tellFault } from './status.js';
import { T } from './texts.js';
import { isoTime, resolveRange } from './time.js';

export function page(ctx) {
  return new LogsPage(ctx);
}

class LogsPage {
  constructor(ctx) {
    this.ctx = ctx;
    this.address = null;
    this.run = null;
    this.asked = '';
    this.failure = null;
    this.leaving = new AbortController();
    build(this);
    this.moves = new Moves(this);
    this.keys = this.moves.keys();
  }

  title(address) {
    return address.q ? `${address.q.slice(0, 60)} · ${T.pages.logs}` : T.pages.logs;
  }

  go(changes, options) {
    this.ctx.go({ ...this.address, at: null, more: new Map(), ...this.#liveMore(changes), ...changes },
      options);
  }

  /** Live lasts while conditions change, not when a fixed time is chosen. */
  #liveMore({ range }) {
    const live = this.address.more.get('live') && (range === undefined || !range.includes('..'));
    return live ? { more: new Map([['live', '1']]) } : {};
  }

  get columns() {
    return this.address.columns ?? datasetOf(this.address.dataset).columns;
  }

  toggleColumn(name) {
    const { columns } = this;
    const next = columns.includes(name) ? columns.filter((one) => one !== name) : [...columns.slice(0, -1),
      name, ...columns.slice(-1)];
    const usual = datasetOf(this.address.dataset).columns;
    const same = next.length === usual.length && next.every((one, index) => one === usual[index]);
    this.ctx.go({ ...this.address, columns: same || !next.length ? null : next });
  }

  update(address) {
    const before = this.address;
    this.address = address;
    const { tenant, dataset, q, filters, range, order, more } = address;
    const asked = addressText({ page: 'logs', tenant: tenant ?? this.ctx.tenant?.name, dataset, q, filters,
      range, order,
      more: new Map([['live', more.get('live')], ['zone', this.ctx.zone()]]) });
    if (asked !== this.asked) {
      this.asked = asked;
      this.#drawAsk();
      this.begin();
    } else if (String(before.columns) !== String(address.columns)) {
      this.list.show(this.list.rows, this.look());
    }
    this.tools.draw();
    this.moves.showAt();
  }

  reading(position) {
    return recordAt(this.address.dataset, position, this.leaving.signal);
  }

  leave() {
    this.leaving.abort();
    this.following?.close();
    this.run?.close();
    this.moves.leave();
    this.list.close();
    this.bars.close();
    clearTimeout(this.again);
  }

  showFields() {
    const shown = this.element.classList.toggle('with-fields');
    this.fieldsButton.setAttribute('aria-expanded', String(shown));
  }

  toggleLive() {
    const more = new Map(this.address.more);
    if (!more.delete('live')) more.set('live', '1');
    const fixed = this.address.range.includes('..');
    this.ctx.go({ ...this.address, more, order: 'desc', at: null, range: fixed && more.has('live') ? '1h'
      : this.address.range });
  }

  restyle() {
    this.bars.restyle();
  }

  #drawAsk() {
    const { address, ctx } = this;
    const names = [...new Set([...(ctx.tenant?.datasets ?? []), address.dataset])];
    fill(this.dataset, names.map((name) => h('option', { value: name, selected: name === address.dataset },
      name)));
    const { texts, fields } = datasetOf(address.dataset);
    this.filter.input.placeholder = T.logs.filterHint(texts[0], fields[1]);
    this.filter.setText(address.q);
    this.range.show(address.range);
    this.chips.show(address.filters);
    this.fields.setDataset(address.dataset, this.leaving.signal);
    this.fields.setFilters(address.filters);
    this.liveButton.setAttribute('aria-pressed', String(address.more.get('live') === '1'));
  }

  ask(q) {
    FilterBox.keep(q);
    if (q === this.address.q) this.begin({ keep: true });
    else this.go({ q });
    this.list.element.focus();
  }

  runOrStop() {
    if (this.run?.running) {
      this.run.close();
      this.finished(T.failure.stopped);
    } else {
      this.ask(this.filter.text);
    }
  }

  completion() {
    const bounds = resolveRange(this.address.range, serverNow());
    const body = { dataset: this.address.dataset };
    if (bounds?.start) Object.assign(body, { start: isoTime(bounds.start), end: isoTime(bounds.end) });
    return body;
  }

  /** Asks anew. With `keep` what is read stays where it is. */
  async begin({ keep = false } = {}) {
    clearTimeout(this.again);
    const place = keep && !this.list.view.atTop ? this.moves.place() : null;
    this.following?.close();
    this.following = null;
    this.run?.close();
    this.kept = keep;
    this.failure = null;
    this.stopped = null;
    this.filter.setFault(null);
    if (!keep) this.state.hidden = true;
    this.banner.hidden = true;
    this.waiting.hidden = true;
    this.element.classList.add('running');
    if (this.address.more.get('live') === '1' && this.address.order === 'desc') {
      this.following = new Following(this);
      return;
    }
    this.startRun({}, place);
  }

  startRun(options, place = null) {
    let run = null;
    run = new Run(this.address, { zone: this.ctx.zone(), fields: this.fields.shown,
      values: this.fields.values, ...options }, {
      rows: () => run && this.run === run && this.#rowsCame(), bars: () => this.run === run
        && this.#barsCame(),
      fields: (fields, part) => this.run === run && this.fields.take(fields, part),
      failure: (part, failure) => queueMicrotask(() => this.run === run && this.failed(part, failure)),
      done: () => this.run === run && this.finished(null),
    });
    this.run = run;
    this.place = place;
    if (!this.list.rows || !place) this.bars.element.classList.add('stale');
    if (!this.list.rows && run.rows) this.list.show(run.rows, this.look());
    this.showStatusSoon();
    setTimeout(() => this.#drawRun(), 150);
    return run;
  }

  /** Rows of a run come into the list when the first are there: until then those before stay, faint. */
  #rowsCame() {
    const { run, list } = this;
    if (list.rows !== run.rows && (run.rows.begun || run.rows.failure && !this.kept)) {
      list.show(run.rows, this.look());
      if (this.place) this.moves.guarded(() => this.moves.goTo(this.place, { near: false }));
      this.place = null;
    }
    if (run.rows.begun) this.element.classList.remove('running');
    list.changed();
    this.showState();
    this.showStatusSoon();
  }

  #barsCame() {
    const { run } = this;
    this.list.element.classList.toggle('mixed', new Set(run.bars.values.values()).size > 1);
    this.bars.show({ bars: run.bars, zone: this.ctx.zone(), by: datasetOf(this.address.dataset).by });
    this.showStatusSoon();
  }

  finished(stopped) {
    this.stopped = stopped;
    this.element.classList.remove('running');
    this.#drawRun();
    this.showState();
    showStatus(this);
    if (this.run?.total !== null && !stopped) announce(T.logs.count(this.run.total));
  }

  look() {
    const { dataset, q, range } = this.address;
    const bounds = this.run?.bounds;
    const length = bounds?.start && bounds.end ? bounds.end - bounds.start : null;
    const now = bounds?.end ?? null;
    const find = findPattern(this.tools.findText);
    return {
      dataset, columns: this.columns, zone: this.ctx.zone(),
      patterns: [...needles(q), ...(find ? datasetOf(dataset).texts.map((field) =>
        ({ field, pattern: find })) : [])],
      digits: length !== null && length <= 10_000_000_000n ? 9 : length !== null
        && length <= 600_000_000_000n ? 6 : 3,
      day: length === null || now === null ? !range.match(/^\d+[smh]$/) : length > 12n * 3_600_000_000_000n
        || range.includes('..'),
    };
  }

  relook() {
    if (this.list.rows) this.list.show(this.list.rows, this.look());
  }

  failed(part, failure) {
    if (part === 'bars') {
      if (failure.kind !== 'invalid' || failure.field !== 'where') {
        this.bars.show({ bars: null, words: [T.logs.barsFailed, ' ', this.ctx.fail(failure)] });
        this.fields.fail(T.logs.fieldsFailed, () => this.begin({ keep: true }));
      }
    } else if (part === 'fields') {
      note(this.ctx.fail(failure));
    } else {
      this.failure = failure ?? { kind: 'range' };
      tellFault(this, this.failure);
      this.finished(null);
      if (failure && (failure.kind === 'away'
        || failure.kind === 'busy')) this.#againSoon(failure.retryAfter);
    }
  }

  #againSoon(seconds) {
    this.tries = (this.tries ?? 0) + 1;
    this.again = setTimeout(() => this.begin({ keep: true }), (seconds
      ?? Math.min(10, this.tries * 2)) * 1000);
  }

  /** Whether no rows were ever read. */
  get nothing() {
    return !this.list.rows?.begun && !this.list.live.length;
  }

  showState() {
    const { run, list } = this;
    const empty = this.failure ? this.nothing : Boolean(run?.rows?.begun) && !list.count;
    this.state.hidden = !empty;
    list.element.hidden = empty;
    if (this.failure && this.nothing) this.bars.element.classList.add('stale');
    if (empty) stateOf(this, this.state);
    if (run?.rows?.begun) this.tries = 0;
  }

  #drawRun() {
    const running = Boolean(this.run?.running) && !this.following;
    fill(this.runButton, running ? [icon('stop'), T.logs.stop] : T.logs.run);
  }
}
