// What the pages other than Logs are made of: panels, states, tables, figures.

import { Failure } from './api.js';
import { append, copyText, h, icon, isolated, say } from './dom.js';
import { faultParts, plain } from './safe.js';
import { T, count } from './texts.js';
import { words } from './texts-pages.js';

/** A part of a page with its own heading; `body` is what changes. */
export function panel(title, { wide = false, actions = null, id = null } = {}) {
  const body = h('div', { class: 'panel-body' });
  const heading = h('h2', { id }, title);
  const element = h('section', { class: wide ? 'panel wide' : 'panel' }, h('header', null, heading, actions),
    body);
  return { element, body, heading };
}

export function loading() {
  return h('p', { class: 'state loading' }, T.loading);
}

/** What is said where nothing is, and what can be done about it. */
export function nothing(text, ...actions) {
  return h('div', { class: 'state' }, h('p', null, text), actions.length ? h('p', { class: 'actions' },
    actions) : null);
}

/** What went wrong, in words; `retry` is called on a click. */
export function failed(error, retry) {
  if (!(error instanceof Failure)) throw error;
  return h('div', { class: 'state bad', role: 'alert' }, h('p', null, failureText(error)),
    error.filter ? h('p', null, markedFilter(error.filter, error.character)) : null,
    retry ? h('p', { class: 'actions' }, h('button', { type: 'button', onclick: retry }, T.retry)) : null);
}

function markedFilter(text, character) {
  const [before, wrong, behind] = faultParts(text, character);
  return h('bdi', { class: 'mono' }, say(before), h('span', { class: 'wrong' }, wrong ? say(wrong) : ' '),
    say(behind));
}

export function failureText(error) {
  const known = T.failure[error.kind];
  const said = typeof known === 'function' ? known(error.retryAfter) : known ?? '';
  const detail = error.detail || (known ? '' : error.title);
  return plain([said, detail && detail !== said ? sentence(detail) : ''].filter(Boolean).join(' '), 1000)
    || words.wentWrong;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

/**
 * Shows in `place` that work is under way, then what it gives, or why not, alone: other parts go on.
 * Work that a later call has overtaken shows nothing.
 */
export async function show(place, work, { quiet = false } = {}) {
  const turn = (place.turn ?? 0) + 1;
  place.turn = turn;
  place.setAttribute('aria-busy', 'true');
  if (!quiet || !place.firstChild) place.replaceChildren(loading());
  try {
    const nodes = await work();
    if (place.turn === turn) place.replaceChildren(...[nodes].flat().filter(Boolean));
  } catch (error) {
    if (place.turn === turn && error.kind !== 'stopped') place.replaceChildren(failed(error, () =>
      show(place, work)));
  } finally {
    if (place.turn === turn) place.removeAttribute('aria-busy');
  }
}

/** `columns`: a title each, in a list those of numbers, which stand at the right; `rows`: lists of nodes. */
export function table(caption, columns, rows) {
  const kinds = columns.map((column) => (Array.isArray(column) ? 'number' : null));
  return h('div', { class: 'table-frame', tabindex: 0 },
    h('table', { class: 'data', 'aria-label': caption }, h('thead', null,
      h('tr', null, columns.map((column, index) =>
      h(column === '' ? 'td' : 'th', { scope: column === '' ? null : 'col', class: kinds[index] }, column)))),
    h('tbody', null, rows.map((row) => h('tr', null, row.map((cell, index) =>
      h(index ? 'td' : 'th', { scope: index ? null : 'row', class: kinds[index] }, cell)))))));
}

let serial = 0;

/** A control with its name. */
export function labelled(name, control, hint = null) {
  control.id ||= 'c' + (serial += 1);
  const help = hint ? h('span', { class: 'hint', id: control.id + 'h' }, hint) : null;
  if (help) control.setAttribute('aria-describedby', help.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, name), control, help);
}

/** `options`: pairs of a value and its text. */
export function select(options, value, onchange) {
  const element = h('select', { onchange: () => onchange?.(element.value) },
    options.map(([name, text]) => h('option', { value: name, selected: name === value }, text)));
  return element;
}

/** Buttons of which one is on. */
export function choice(name, options, value, onchange) {
  const group = h('div', { class: 'choice', role: 'group', 'aria-label': name });
  append(group, options.map(([of, text]) => h('button', {
    type: 'button', 'aria-pressed': String(of === value),
    onclick: () => {
      for (const button of group.children) button.setAttribute('aria-pressed', 'false');
      group.children[options.findIndex(([one]) => one === of)].setAttribute('aria-pressed', 'true');
      onchange(of);
    },
  }, text)));
  return group;
}

/** Text to be copied, with the button that does. */
export function snippet(text, name) {
  const button = h('button', {
    type: 'button', class: 'copy', 'aria-label': words.copyOf(name),
    onclick: async () => {
      button.lastChild.data = (await copyText(code.textContent)) ? words.copied : words.notCopied;
    },
  }, icon('copy'), words.copy);
  const code = h('code', null, text);
  return h('div', { class: 'snippet' }, h('pre', { tabindex: 0 }, code), button);
}

/** A group's key as people read it: null is missing. */
export function keyText(key) {
  return key === null ? words.none : key === '' ? words.emptyText : String(key);
}

export function key(value) {
  return value === null || value === '' ? h('span', { class: 'soft' }, keyText(value))
    : isolated(String(value));
}

export function share(part, whole) {
  if (!Number(whole)) return '–';
  const percent = 100 * Number(part) / Number(whole);
  return percent === 0 ? '0 %' : percent < 0.1 ? '< 0.1 %'
    : `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** Milliseconds as `812 ms`, `1.25 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(milliseconds) {
  const size = Math.abs(milliseconds);
  if (size < 1000) return `${size < 10 ? Number(milliseconds.toFixed(2)) : Math.round(milliseconds)} ms`;
  if (size < 60_000) return `${Number((milliseconds / 1000).toFixed(size < 10_000 ? 2 : 1))} s`;
  const whole = Math.round(milliseconds / 1000);
  if (size < 3_600_000) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const hours = Math.floor(whole / 3600);
  return hours < 48 ? `${hours} h ${Math.floor(whole % 3600 / 60)} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A number of a measure: whole ones grouped, others to four digits that count. */
export function figure(value) {
  if (value === null || value === undefined) return '–';
  const number = Number(value);
  if (Number.isInteger(number)) return count(Math.abs(number) < 2 ** 53 ? number : String(value));
  return Math.abs(number) >= 1000 ? count(Math.round(number)) : String(Number(number.toPrecision(4)));
}
