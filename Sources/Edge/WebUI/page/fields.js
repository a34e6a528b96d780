// Fields with their values and counts, each under all conditions but its own; a click makes a condition.

import { call, Failure } from './api.js';
import { fill, h, icon, later, say } from './dom.js';
import { numberText } from './json.js';
import { chipValue, datasetOf, gradeOf } from './query.js';
import { plain } from './safe.js';
import { remember, remembered } from './settings.js';
import { T, count, shortCount } from './texts.js';

const VALUES = 10;
const VALUES_MORE = 100;
const NAMES_MAX = 200;

export class FieldsPanel {
  /**
   * `onToggle(field, value, not)`, `onBound(field, ge)`, `onColumn(field)`, `onOpen()` when fields are wanted
   * anew.
   */
  constructor(on) {
    this.on = on;
    this.dataset = 'logs';
    this.filters = [];
    this.answers = new Map();
    this.names = [];
    this.more = new Set();
    this.search = h('input', { type: 'search', placeholder: T.logs.findField, 'aria-label': T.logs.findField,
      oninput: later(60, () => this.#drawNames()) });
    this.open = h('div', {});
    this.list = h('ul', { class: 'field-names' });
    this.element = h('aside', { class: 'facets', 'aria-label': T.logs.fields }, this.open,
      h('details', { class: 'field-more', open: true }, h('summary', {}, T.logs.allFields), this.search,
        this.list));
  }

  /** Names of the fields whose values are shown. */
  get shown() {
    return remembered(`fields.${this.dataset}`, datasetOf(this.dataset).fields);
  }

  /** How many values to ask for. */
  get values() {
    return this.more.size ? VALUES_MORE : VALUES;
  }

  async setDataset(dataset, signal) {
    if (dataset !== this.dataset) {
      this.dataset = dataset;
      this.answers.clear();
      this.more.clear();
      this.names = [];
    }
    try {
      const { fields } = await call('GET', `fields?dataset=${encodeURIComponent(dataset)}`, { signal });
      this.names = fields;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
    }
    this.#drawNames();
  }

  setFilters(filters) {
    this.filters = filters;
    this.#draw();
  }

  /** Takes `fields` of an answer of `summary`; `part`: of some fields only. */
  take(fields, part = false) {
    if (!part) this.answers.clear();
    for (const field of fields) this.answers.set(field.field, field);
    this.busy = null;
    this.#draw();
  }

  /** Words in the place of counts. */
  fail(text, retry) {
    fill(this.open, h('div', { class: 'state small' }, h('p', {}, text),
      h('button', { type: 'button', onclick: retry }, T.retry)));
  }

  #toggleField(name) {
    const { shown } = this;
    const there = shown.includes(name);
    remember(`fields.${this.dataset}`, there ? shown.filter((one) => one !== name) : [...shown, name]);
    this.#draw();
    this.#drawNames();
    if (!there) this.on.onOpen([name], VALUES);
  }

  #draw() {
    const focus = document.activeElement?.dataset?.key;
    fill(this.open, this.shown.map((name) => this.#field(name)));
    if (focus) this.open.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  }

  #field(name) {
    const answer = this.answers.get(name);
    const filter = this.filters.find((one) => one.field === name && one.values);
    const whole = answer ? answer.values.reduce((sum, one) => sum + one.count, 0) + (answer.missing ?? 0) : 0;
    const rest = answer ? answer.distinct - answer.values.length : 0;
    const many = this.more.has(name);
    const values = answer ? (many ? answer.values : answer.values.slice(0, VALUES)) : [];
    const hidden = answer ? Math.max(0, answer.distinct - values.length) : 0;
    return h('section', { class: 'field-open' },
      h('header', {}, h('h2', { title: plain(name) }, h('bdi', {}, say(name))),
        answer ? h('span', { class: 'hint', title: T.logs.distinct(count(answer.distinct),
          answer.exact !== false) },
          (answer.exact === false ? '≈ ' : '') + shortCount(answer.distinct)) : null,
        h('button', { type: 'button', class: 'quiet tiny', 'aria-label': `${T.close} ${name}`,
          onclick: () => this.#toggleField(name) }, icon('close'))),
      answer ? null : h('div', { class: 'ghost-lines', 'aria-hidden': 'true' }, h('i', {}), h('i', {}),
        h('i', {})),
      h('ul', {}, values.map((one) => this.#value(name, one.value, one.count, whole, filter)),
        answer?.missing ? this.#value(name, null, answer.missing, whole, filter) : null),
      answer && !values.length && !answer.missing ? h('p', { class: 'hint' }, T.logs.noValues) : null,
      hidden && (rest <= 0 || !many) ? h('button', { type: 'button', class: 'link', onclick: () => {
        this.more.add(name);
        this.#draw();
        this.on.onOpen([name], VALUES_MORE);
      } }, T.logs.moreValues(count(hidden))) : hidden ? h('p', { class: 'hint' },
        T.logs.yetMore(count(hidden))) : null,
      answer?.numbers ? this.#numbers(name, answer.numbers) : null);
  }

  #value(name, value, number, whole, filter) {
    const own = chipValue(value);
    const key = JSON.stringify(own);
    const chosen = filter?.values.some((one) => JSON.stringify(one) === key);
    const state = chosen ? (filter.not ? 'out' : 'in') : filter && !filter.not ? 'off' : '';
    const grade = name === datasetOf(this.dataset).by ? gradeOf(value) : null;
    const label = value === null ? T.logs.missing : value === '' ? T.logs.emptyText : numberText(value)
      ?? String(value);
    const bar = h('span', { class: 'share' });
    bar.style.width = whole ? `${Math.max(1, (number / whole) * 100)}%` : '0';
    return h('li', { class: `value ${state}` }, bar,
      h('button', { type: 'button', class: 'value-name', 'data-key': name + key, title: plain(label),
        'aria-pressed': String(state === 'in'),
        onclick: () => this.on.onToggle(name, own, false) },
      grade ? h('span', { class: 'dot d-' + grade }) : null,
      h('bdi', { class: value === null || value === '' ? 'none' : null }, say(label.slice(0, 300)))),
      h('span', { class: 'number', title: count(number) }, shortCount(number)),
      h('button', { type: 'button', class: 'quiet tiny', 'aria-label': T.logs.exclude(plain(label)),
        title: T.logs.exclude(plain(label, 60)),
        'aria-pressed': String(state === 'out'), onclick: () => this.on.onToggle(name, own, true) }, '−'));
  }

  #numbers(name, numbers) {
    const part = (label, value) => (value === undefined || value === null ? null : h('button', {
      type: 'button', class: 'link', title: T.logs.atLeast(String(value)),
      onclick: () => this.on.onBound(name, numberText(value)),
    }, h('span', { class: 'soft' }, label), ' ', short(value)));
    return h('div', { class: 'field-numbers' }, part(T.logs.least, numbers.min), part(T.logs.median,
      numbers.median),
      part('p95', numbers.p95), part(T.logs.most, numbers.max));
  }

  #drawNames() {
    const { shown } = this;
    const wanted = this.search.value.trim().toLowerCase();
    const fit = this.names.filter(({ name }) => !shown.includes(name) && name.toLowerCase().includes(wanted));
    fill(this.list, fit.slice(0, NAMES_MAX).map(({ name, type, share }) => h('li', {},
      h('button', { type: 'button', class: 'quiet', title: plain(name), onclick: () =>
        this.#toggleField(name) },
        h('bdi', {}, say(name)), h('span', { class: 'hint' }, share !== undefined && share < 0.995
          ? `${Math.max(1, Math.round(share * 100))} %` : T.logs.types[type] ?? '')),
      h('button', { type: 'button', class: 'quiet tiny', title: T.logs.asColumn,
        'aria-label': `${T.logs.asColumn}: ${name}`,
        onclick: () => this.on.onColumn(name) }, '▥'))),
    fit.length > NAMES_MAX ? h('li', { class: 'hint' }, T.logs.yetMore(count(fit.length - NAMES_MAX)))
      : null);
  }
}

function short(value) {
  const text = numberText(value) ?? String(value);
  const number = Number(value);
  return text.length <= 8 || !Number.isFinite(number) ? text : String(Number(number.toPrecision(5)));
}
