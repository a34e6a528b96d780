// The box for the filter: completion from the server, faults marked at their character, filters asked before.

import { call, Failure } from './api.js';
import { announce, fill, h, later, say } from './dom.js';
import { faultParts, hasHidden, toUnits } from './safe.js';
import { remember, remembered } from './settings.js';
import { T, count, shortCount } from './texts.js';

const HISTORY_MAX = 100;

/** A place in scalars, as the server counts. */
const toScalars = (text, at) => Array.from(text.slice(0, at)).length;

export class FilterBox {
  /** `onRun(text)`; `ask()` gives {dataset, start, end} for completion. */
  constructor({ onRun, ask }) {
    this.onRun = onRun;
    this.ask = ask;
    this.offers = [];
    this.at = -1;
    this.fault = null;
    this.mirror = h('div', { class: 'filter-mirror', 'aria-hidden': 'true' });
    this.input = h('textarea', {
      class: 'filter-input', rows: 1, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off',
      'aria-label': T.logs.filter, 'aria-autocomplete': 'list', 'aria-controls': 'offers',
        'aria-describedby': 'filter-fault',
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onclick: () => this.#ask(),
      onblur: () => this.#close(),
    });
    this.list = h('ul', { class: 'offers', id: 'offers', role: 'listbox', 'aria-label': T.logs.offers,
      hidden: true,
      onpointerdown: (event) => this.#clicked(event) });
    this.message = h('div', { class: 'filter-fault', id: 'filter-fault', hidden: true });
    this.element = h('div', { class: 'ask-filter' }, h('div', { class: 'filter-box' }, this.mirror,
      this.input),
      this.list, this.message);
    this.#askSoon = later(90, () => this.#ask());
  }

  #askSoon;
  #stop = null;

  get text() {
    return this.input.value;
  }

  /** Shows a text without running it. */
  setText(text) {
    if (this.input.value !== text) this.input.value = text;
    this.#close();
    this.#drawMirror();
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** Marks what is wrong: {character (of scalars, or null), detail}, or null. `fixes`: [{label, text}]. */
  setFault(fault, fixes = []) {
    this.fault = fault;
    this.input.setAttribute('aria-invalid', String(Boolean(fault)));
    this.#drawMirror();
    const hidden = hasHidden(this.text.replace(/\n/g, ' '));
    this.message.hidden = !fault && !hidden;
    fill(this.message,
      fault ? h('span', {}, fault.detail) : null,
      fault ? fixes.map(({ label, text }) => h('button', { type: 'button', class: 'link', onclick: () => {
        this.setText(text);
        this.onRun(text);
      } }, label)) : null,
      hidden ? h('span', {}, T.logs.hiddenInFilter, ' ', h('bdi', { class: 'mono' }, say(this.text))) : null);
  }

  #drawMirror() {
    const text = this.text;
    const { fault } = this;
    if (fault && fault.character !== null) {
      const [before, wrong, behind] = faultParts(text, fault.character);
      fill(this.mirror, before, h('span', { class: 'wrong' }, wrong || ' '), behind, ' ');
    } else {
      fill(this.mirror, text, ' ');
    }
  }

  #typed() {
    this.setFault(null);
    this.#askSoon();
  }

  async #ask() {
    if (document.activeElement !== this.input) return;
    this.#stop?.abort();
    const { text } = this;
    if (!text.trim()) {
      this.#show(remembered('filters', []).slice(0, 12).map((one) => ({ text: one, kind: 'history' })), 0);
      return;
    }
    this.#stop = new AbortController();
    const at = toScalars(text, this.input.selectionStart);
    try {
      const { signal } = this.#stop;
      const answer = await call('POST', 'complete', { body: { ...this.ask(), text, at }, signal });
      if (text !== this.text || document.activeElement !== this.input) return;
      this.#show(answer.offers ?? [], answer.from ?? at);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') this.#close();
    }
  }

  #show(offers, from) {
    this.offers = offers;
    this.from = from;
    this.at = -1;
    const start = toUnits(this.text, from);
    const written = this.text.slice(start, this.input.selectionStart);
    if (offers.length === 1 && offers[0].text === written) this.offers = [];
    fill(this.list, this.offers.map(({ text, kind, count: number }, index) => h('li', {
      role: 'option', id: `offer-${index}`, 'data-index': String(index), 'aria-selected': 'false',
    }, h('bdi', { class: 'mono' }, say(text)), h('span', {
      class: 'hint', title: number === undefined ? null : count(number),
    }, number === undefined ? T.logs.offerKinds[kind] ?? '' : shortCount(number)))));
    this.list.hidden = !this.offers.length;
    this.input.removeAttribute('aria-activedescendant');
  }

  #close() {
    this.#stop?.abort();
    this.list.hidden = true;
    this.at = -1;
  }

  #mark(at) {
    this.list.children[this.at]?.setAttribute('aria-selected', 'false');
    this.at = (at + this.offers.length + 1) % (this.offers.length + 1);
    if (this.at === this.offers.length) this.at = -1;
    const option = this.list.children[this.at];
    if (!option) return this.input.removeAttribute('aria-activedescendant');
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    this.input.setAttribute('aria-activedescendant', option.id);
    return undefined;
  }

  #clicked(event) {
    const option = event.target.closest('[data-index]');
    event.preventDefault();
    if (option) this.#accept(Number(option.dataset.index));
  }

  #accept(index) {
    const { text: offered, kind } = this.offers[index];
    const { text } = this;
    if (kind === 'history') {
      this.setText(offered);
      this.onRun(offered);
      return;
    }
    const start = toUnits(text, this.from);
    const rest = text.slice(this.input.selectionStart);
    const space = /^\s/.test(rest) || kind === 'value' && /^\s*[,)]/.test(rest) ? '' : ' ';
    const before = start && !/[\s(]$/.test(text.slice(0, start)) ? ' ' : '';
    this.input.value = text.slice(0, start) + before + offered + space + rest;
    const at = start + before.length + offered.length + space.length;
    this.input.setSelectionRange(at, at);
    this.#drawMirror();
    this.#ask();
  }

  #key(event) {
    if (event.isComposing) return;
    const shown = !this.list.hidden;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (shown && this.at >= 0) return this.#accept(this.at);
      this.#close();
      return this.onRun(this.text);
    }
    if (shown && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      return this.#mark(event.key === 'ArrowDown' ? this.at + 1 : this.at < 0 ? this.offers.length - 1
        : this.at - 1);
    }
    if (shown && event.key === 'Tab' && !event.shiftKey && this.offers[0]?.kind !== 'history') {
      event.preventDefault();
      return this.#accept(Math.max(0, this.at));
    }
    if (event.key === 'ArrowDown' && !shown && !this.text.includes('\n')) return this.#ask();
    if (event.key === 'Escape') {
      event.preventDefault();
      if (shown) return this.#close();
      this.input.blur();
    }
    return undefined;
  }

  /** Keeps a filter that ran. */
  static keep(text) {
    if (!text.trim()) return;
    const list = remembered('filters', []).filter((one) => one !== text);
    remember('filters', [text, ...list].slice(0, HISTORY_MAX));
    announce('');
  }
}
