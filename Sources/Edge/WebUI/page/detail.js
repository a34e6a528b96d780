// One record, whole: its message, and every member with what can be done with it. Long texts by 64 KiB,
// many members by hundreds.

import { copyText, fill, h, icon, later, say } from './dom.js';
import { memberPath, numberText, write } from './json.js';
import { note } from './overlay.js';
import { chipValue, datasetOf, gradeOf, hitsOf } from './query.js';
import { plain } from './safe.js';
import { T, bytes, count } from './texts.js';
import { fullTime, isoTime, offsetName, parseTime } from './time.js';

const PART = 65_536;
const FIRST_PART = 16_384;
const MEMBERS = 100;
const HEADING = new Set(['timestamp', 'position']);

/** All values of a record, flat: {path, name, level, value}; lists and empty objects are one value. */
export function members(record, skip = HEADING) {
  const list = [];
  const add = (object, parent, level) => {
    for (const name of Object.keys(object)) {
      if (!level && skip.has(name)) continue;
      const value = object[name];
      const path = memberPath(parent, name);
      const inner = value !== null && typeof value === 'object' && !Array.isArray(value)
        && numberText(value) === null;
      if (inner && Object.keys(value).length && level < 32) {
        list.push({ path, name, level, heading: true });
        add(value, path, level + 1);
      } else {
        list.push({ path, name, level, value });
      }
    }
  };
  add(record, '', 0);
  const last = (one) => one.path === 'id' || one.path === 'ingested_at';
  return [...list.filter((one) => !last(one)), ...list.filter(last)];
}

const act = (name, sign, words, path) => h('button', {
  type: 'button', class: 'quiet tiny', 'data-act': name, title: words,
    'aria-label': `${words}: ${plain(path)}`,
}, sign);

/** A long text by parts of 64 KiB. */
function longText(text, patterns) {
  const box = h('div', { class: 'whole-text' });
  let at = 0;
  const more = h('button', { type: 'button', class: 'link', onclick: () => add() });
  const add = () => {
    let end = Math.min(text.length, at + (at ? PART : FIRST_PART));
    if (end < text.length && /[\udc00-\udfff]/.test(text[end])) end -= 1;
    const part = text.slice(at, end);
    more.remove();
    box.append(say(part, { lines: true, hits: hitsOf(part, patterns, 1000) }));
    at = end;
    if (at < text.length) {
      more.textContent = T.logs.nextPart(bytes(Math.min(PART, text.length - at)), bytes(text.length - at));
      box.append(more);
    }
  };
  add();
  return box;
}

export class Detail {
  /**
   * `on`: {close(), filter(field, value, not), column(field), around(record), next(by)}; `href(changes)` for
   * links.
   */
  constructor(on) {
    this.on = on;
    this.record = null;
    this.body = h('div', { class: 'detail-body' });
    this.title = h('div', { class: 'detail-title' });
    this.element = h('aside', { class: 'detail', 'aria-label': T.logs.detail, hidden: true },
      h('header', {}, this.title,
        h('button', { type: 'button', class: 'quiet square', title: T.logs.previousRow,
          'aria-label': T.logs.previousRow,
          onclick: () => on.next(-1) }, icon('back')),
        h('button', { type: 'button', class: 'quiet square', title: T.logs.nextRow,
          'aria-label': T.logs.nextRow,
          onclick: () => on.next(1) }, icon('down')),
        h('button', { type: 'button', class: 'quiet square', title: `${T.close} (Esc)`, 'aria-label': T.close,
          onclick: () => on.close() }, icon('close'))),
      this.body);
    this.body.addEventListener('click', (event) => this.#clicked(event));
    for (const kind of ['pointerover', 'focusin']) this.body.addEventListener(kind, (event) =>
      this.#addActs(event));
  }

  hide() {
    this.element.hidden = true;
    this.record = null;
  }

  show(record, { dataset, zone, patterns = [] }) {
    const { by, texts } = datasetOf(dataset);
    const time = parseTime(record.timestamp);
    const main = texts.find((name) => typeof record[name] === 'string');
    const grade = gradeOf(record[by]);
    this.record = record;
    this.body.scrollTop = 0;
    this.element.hidden = false;
    fill(this.title, h('span', { class: 'dot d-' + (grade ?? 'other') }),
      record[by] === undefined || record[by] === null ? null : h('bdi', { class: `grade-name g-${grade}` },
        say(String(record[by]))),
      time === null ? null : h('time', { datetime: isoTime(time) }, fullTime(time, zone), ' ', h('span',
        { class: 'soft' },
        offsetName(zone, time))));
    this.list = members(record, new Set([...HEADING, by, main].filter(Boolean)));
    const trace = record.trace_id ?? record.ticket_id;
    const own = patterns.filter(({ field }) => !field || field === main).map(({ pattern }) => pattern);
    fill(this.body,
      main ? longText(record[main], own) : null,
      h('div', { class: 'actions' },
        h('button', { type: 'button', title: `${T.logs.around} (a)`, onclick: () => this.on.around(record) },
          T.logs.around),
        typeof trace === 'string' ? h('a', { class: 'button', href: this.on.traceHref(record) },
          T.pages.trace) : null,
        h('button', { type: 'button', onclick: () => this.#copy(write(record, 2)) }, T.logs.copyJson),
        main ? h('button', { type: 'button', onclick: () => this.#copy(record[main]) }, T.logs.copyText)
          : null),
      this.#members(),
      h('p', { class: 'hint' }, T.logs.positionSay(String(record.position))));
  }

  #members() {
    const table = h('div', { class: 'members', role: 'list' });
    const rest = h('button', { type: 'button', class: 'link', onclick: () => add() });
    let shown = this.list;
    let at = 0;
    const add = () => {
      rest.remove();
      const part = shown.slice(at, at + MEMBERS);
      at += part.length;
      table.append(...part.map((member) => this.#member(member)));
      if (at < shown.length) {
        rest.textContent = T.logs.moreMembers(count(shown.length - at));
        table.append(rest);
      }
    };
    add();
    if (this.list.length <= 40) return table;
    const search = h('input', { type: 'search', placeholder: T.logs.findMember(count(this.list.length)),
      'aria-label': T.logs.findMember(count(this.list.length)), oninput: later(60, () => {
        const wanted = search.value.trim().toLowerCase();
        shown = this.list.filter(({ path }) => path.toLowerCase().includes(wanted));
        at = 0;
        table.replaceChildren();
        add();
      }) });
    return [search, table];
  }

  #member({ path, name, level, value, heading }) {
    const label = h('bdi', { class: 'member-name', title: plain(path) }, say(name.slice(0, 500)));
    const indent = 'i' + Math.min(level, 6);
    if (heading) return h('div', { class: `member heading ${indent}`, role: 'listitem' }, label);
    const text = typeof value === 'string' ? value : write(value);
    const row = h('div', { class: `member ${indent}`, role: 'listitem', tabIndex: 0 }, label,
      h('bdi', { class: typeof value === 'string' ? 'member-value' : 'member-value other' },
        text === '' ? h('span', { class: 'none' }, T.logs.emptyText) : text.length > 2_000
          ? [say(text.slice(0, 2_000), { lines: true }), act('whole', '…',
            T.logs.wholeValue(bytes(text.length)), path)]
          : say(text, { lines: true })));
    row.member = { path, value, text };
    return row;
  }

  /**
   * What can be done with a member comes when it is pointed at or has the focus: a record may have thousands.
   */
  #addActs(event) {
    const row = event.target instanceof Element ? event.target.closest('.member') : null;
    if (!row?.member || row.querySelector('.member-acts')) return;
    const { path, value, text } = row.member;
    const plainValue = value === null || typeof value !== 'object' || numberText(value) !== null;
    row.append(h('span', { class: 'member-acts' },
      plainValue && text.length <= 4_096
        ? [act('in', '=', T.logs.only, path), act('out', '≠', T.logs.without, path)] : null,
      act('column', '▥', T.logs.asColumn, path), act('copy', '⧉', T.logs.copyValue, path)));
  }

  #clicked(event) {
    const button = event.target instanceof Element ? event.target.closest('[data-act]') : null;
    const row = button?.closest('.member');
    if (!row) return;
    const { path, value, text } = row.member;
    const { act } = button.dataset;
    if (act === 'in' || act === 'out') this.on.filter(path, chipValue(value), act === 'out');
    else if (act === 'column') this.on.column(path);
    else if (act === 'copy') this.#copy(text);
    else fill(row.querySelector('.member-value'), longText(text, []));
  }

  async #copy(text) {
    note((await copyText(text)) ? T.logs.copied(bytes(text.length)) : T.logs.notCopied);
  }
}
