// The cells of a row: time, then a value a column. Texts are cut at 1,000 characters and begin shortly before a
// match that would not be seen.

import { fill, h, say } from './dom.js';
import { textOf, valueAt } from './json.js';
import { datasetOf, gradeOf, hitsOf } from './query.js';
import { T, count } from './texts.js';
import { clockParts, parseTime } from './time.js';

const TEXT_MAX = 1_000;
const SEARCHED_MAX = 200_000;
const BEFORE_HIT = 24;

/** `look`: {dataset, columns, patterns, zone, digits, day, wrap, wide: characters of the last column}. */
export function fillCells(element, record, look) {
  const { columns, dataset } = look;
  const { by } = datasetOf(dataset);
  const grade = gradeOf(valueAt(record, by));
  element.className = `rec${grade ? ' g-' + grade : ''}`;
  const cells = columns.map((name, index) => {
    const cell = h('bdi', { class: 'cell', role: 'gridcell', 'aria-colindex': String(index + 2) });
    const value = valueAt(record, name);
    if (name === by) cell.classList.add('grade');
    if (value !== undefined && value !== null) cell.append(textCell(textOf(value), name, look));
    return cell;
  });
  fill(element, timeCell(record, look), cells);
}

function timeCell(record, { zone, digits, day }) {
  const time = parseTime(record.timestamp);
  const cell = h('span', { class: 'cell time', role: 'gridcell', 'aria-colindex': '1' });
  if (time === null) return cell;
  const parts = clockParts(time, zone);
  if (day) cell.append(h('span', { class: 'day' }, parts.day.slice(5) + ' '));
  cell.append(parts.clock, h('span', { class: 'fraction' }, '.' + parts.fraction.slice(0, digits)));
  return cell;
}

function textCell(text, name, { patterns, columns, wrap, wide }) {
  const own = patterns.filter(({ field }) => !field || field === name).map(({ pattern }) => pattern);
  let from = 0;
  let part = text.length > TEXT_MAX ? text.slice(0, TEXT_MAX) : text;
  let hits = own.length ? hitsOf(part, own) : [];
  if (own.length) {
    if (!hits.length && text.length > TEXT_MAX) hits = hitsOf(text.slice(0, SEARCHED_MAX), own, 1);
    const fits = wrap ? TEXT_MAX - BEFORE_HIT : name === columns.at(-1) ? wide : 16;
    if (hits.length && hits[0][0] > fits) {
      from = hits[0][0] - BEFORE_HIT;
      if (/[\udc00-\udfff]/.test(text[from])) from -= 1;
      part = text.slice(from, from + TEXT_MAX);
      hits = hitsOf(part, own);
    }
  }
  const fragment = document.createDocumentFragment();
  if (from) fragment.append(h('span', { class: 'elided' }, '…'));
  fragment.append(say(part, { hits, lines: wrap }));
  const rest = text.length - from - part.length;
  if (rest > 0) fragment.append(h('span', { class: 'elided' }, ` ${T.logs.more(count(rest))}`));
  return fragment;
}
