// Records around one, by (timestamp, position), whatever the filter: before and after it, more at both ends.

import { Failure, lines } from './api.js';
import { fill, h, say } from './dom.js';
import { parse, textOf, valueAt } from './json.js';
import { behind, datasetOf, gradeOf, quoted, rowsQuery } from './query.js';
import { T } from './texts.js';
import { fullTime, parseTime } from './time.js';

const PART = 50;

/** `shows`: {dataset, columns, zone}; `on`: {close(), pick(record), fail(failure)}. */
export function aroundView(record, { dataset, columns, zone }, on) {
  const centre = { time: parseTime(record.timestamp), position: String(record.position) };
  const sources = datasetOf(dataset).sources.map((field) => ({ field, value: valueAt(record, field) }))
    .filter(({ value }) => typeof value === 'string');
  const same = new Set(sources.map(({ field }) => field));
  const list = h('div', { class: 'around-rows' });
  const newer = h('button', { type: 'button', class: 'link' });
  const older = h('button', { type: 'button', class: 'link' });
  const scroll = h('div', { class: 'around-scroll' }, newer, list, older);
  let stop = new AbortController();
  let first = centre;
  let last = centre;

  const ask = async (order, place) => {
    const conditions = sources.filter(({ field }) => same.has(field)).map(({ field, value }) =>
      `${field} = ${quoted(value)}`);
    const where = [...conditions, behind(order, place)].map((part) => `(${part})`).join(' and ');
    const bounds = order === 'desc' ? { end: place.time + 1n } : { start: place.time };
    const answer = await lines('query', rowsQuery({ dataset, where, ...bounds, order, limit: PART }),
      { signal: stop.signal });
    return answer.lines.map((line) => parse(line));
  };

  const placeOfRecord = (one) => ({ time: parseTime(one.timestamp), position: String(one.position) });

  const row = (one) => {
    const here = String(one.position) === centre.position;
    const grade = gradeOf(one[datasetOf(dataset).by]);
    return h('button', {
      type: 'button', class: `around-row${grade ? ' g-' + grade : ''}${here ? ' here' : ''}`,
      'aria-current': here ? 'true' : null, onclick: () => on.pick(one),
    }, h('span', { class: 'time' }, fullTime(parseTime(one.timestamp), zone).slice(11)),
    h('bdi', {}, columns.map((name) => [say(textOf(valueAt(one, name)).slice(0, 1000)), '  '])));
  };

  const guard = async (work) => {
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') on.fail(failure);
    }
  };

  // Above are the newer ones, as in the list.
  const addNewer = () => guard(async () => {
    const found = await ask('asc', first);
    const height = scroll.scrollHeight;
    list.prepend(...found.reverse().map(row));
    scroll.scrollTop += scroll.scrollHeight - height;
    if (found.length) first = placeOfRecord(found[0]);
    newer.hidden = found.length < PART;
  });

  const addOlder = () => guard(async () => {
    const found = await ask('desc', last);
    list.append(...found.map(row));
    if (found.length) last = placeOfRecord(found.at(-1));
    older.hidden = found.length < PART;
  });

  async function begin() {
    stop.abort();
    stop = new AbortController();
    first = centre;
    last = centre;
    fill(list, row(record));
    newer.textContent = T.logs.moreNewer;
    older.textContent = T.logs.moreOlder;
    await Promise.all([addNewer(), addOlder()]);
    list.querySelector('.here')?.scrollIntoView({ block: 'center' });
  }

  newer.addEventListener('click', addNewer);
  older.addEventListener('click', addOlder);
  const choices = sources.map(({ field, value }) => h('label', { class: 'pick' }, h('input', {
    type: 'checkbox', checked: true, onchange: (event) => {
      if (event.target.checked) same.add(field);
      else same.delete(field);
      begin();
    },
  }), ' ', h('bdi', {}, say(`${field} = ${value.slice(0, 80)}`))));
  begin();
  return {
    element: h('section', { class: 'around', 'aria-label': T.logs.around },
      h('header', {}, h('h2', {}, T.logs.aroundTitle), choices.length ? [T.logs.sameAs, choices] : null,
        h('span', { class: 'gap' }),
        h('button', { type: 'button', onclick: () => on.close() }, T.logs.backToList)),
      scroll),
    leave: () => stop.abort(),
  };
}

