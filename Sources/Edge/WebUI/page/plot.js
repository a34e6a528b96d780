// Lines and bars over time, as SVG. Every value is also had by keyboard, and in the table beside it.

import { h, isolated } from './dom.js';
import { words } from './texts-pages.js';

const SPACE = 'http://www.w3.org/2000/svg';
const LEFT = 52;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children);
  return element;
}

/** Three to five round numbers from 0 to at least `most`; whole ones if values are `whole`. */
export function ticks(most, whole = false) {
  if (!(most > 0)) return [0, 1];
  const rough = whole ? Math.max(most / 4, 1) : most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((factor) =>
    factor * power >= rough && !(whole && factor * power % 1)) * power;
  const list = [];
  for (let index = 0; index * step < most + step * 0.999; index += 1) list.push(
    Number((index * step).toPrecision(12)));
  return list;
}

const LEVELS = new Map(Object.entries({
  FATAL: 'fatal', CRITICAL: 'fatal', ERROR: 'error', FAILED: 'error', WARN: 'warn', WARNING: 'warn',
  PARTIAL: 'warn', INFO: 'info', SUCCESS: 'good', DEBUG: 'debug', TRACE: 'debug',
}));

/** A colour's class: levels and results have their own, others by their place. */
export function colourOf(name, index) {
  const level = LEVELS.get(String(name).toUpperCase());
  return level ? 'of-' + level : 'of-' + (index % 8);
}

/**
 * `data`: {times: [labels…], groups: [{name, values: [number or null…], colour}], stacked, whole, format,
 * tick(index)}.
 * `kind`: 'lines' or 'bars'. What is said of it to those who do not see it: `sentence`.
 */
export function plot(kind, data, sentence) {
  const tip = h('div', { class: 'plot-tip', hidden: true, role: 'status' });
  const area = h('div', { class: 'plot-area' });
  const figure = h('figure', { class: 'plot' }, area, legend(data.groups));
  let drawn = null;
  let place = -1;
  const draw = () => {
    const width = area.clientWidth;
    if (!width || width === drawn?.width) return;
    drawn = picture(kind, data, width, area.clientHeight || 200, sentence);
    area.replaceChildren(drawn.svg, tip);
    drawn.svg.addEventListener('pointermove', (event) => show(drawn.indexAt(event.offsetX)));
    drawn.svg.addEventListener('pointerleave', hide);
    drawn.svg.addEventListener('blur', hide);
    drawn.svg.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') hide();
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      show(Math.max(0, Math.min(data.times.length - 1, place < 0 ? (step > 0 ? 0 : data.times.length - 1)
        : place + step)));
    });
  };
  const hide = () => {
    place = -1;
    tip.hidden = true;
    drawn?.mark.setAttribute('visibility', 'hidden');
  };
  const show = (index) => {
    if (index === place || index < 0 || index >= data.times.length) return;
    place = index;
    const { x } = drawn.mark.at(index);
    drawn.mark.setAttribute('visibility', 'visible');
    drawn.mark.setAttribute('x1', x);
    drawn.mark.setAttribute('x2', x);
    tip.replaceChildren(h('strong', null, data.times[index]), values(data, index));
    tip.hidden = false;
    const right = x > drawn.width / 2;
    tip.style.left = right ? 'auto' : x + 12 + 'px';
    tip.style.right = right ? drawn.width - x + 12 + 'px' : 'auto';
  };
  new ResizeObserver(draw).observe(area);
  return figure;
}

function values(data, index) {
  const known = data.groups.map((group) => ({ group, value: group.values[index] }))
    .filter(({ value }) => value !== null && !(value === 0 && data.stacked));
  known.sort((one, other) => other.value - one.value);
  if (!known.length) return h('div', { class: 'soft' }, words.nothingHere);
  return h('table', { class: 'plot-values' }, h('tbody', null, known.slice(0, 13).map(({ group, value }) =>
    h('tr', null, h('td', null, h('i', { class: 'swatch ' + group.colour }), isolated(group.name)),
      h('td', { class: 'number' }, data.format(value))))));
}

function legend(groups) {
  if (groups.length < 2 && groups[0]?.only) return null;
  return h('figcaption', null, h('ul', { class: 'legend' }, groups.map((group) =>
    h('li', null, h('i', { class: 'swatch ' + group.colour }), isolated(group.name)))));
}

function picture(kind, data, width, height, sentence) {
  const count = Math.max(1, data.times.length);
  const inner = { width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
  const marks = ticks(greatest(data), data.whole);
  const top = marks.at(-1);
  const y = (value) => TOP + inner.height * (1 - value / top);
  const slot = inner.width / count;
  const middle = (index) => LEFT + slot * (index + 0.5);
  const svg = s('svg', { width, height, role: 'img', tabindex: 0, 'aria-label': sentence });
  for (const mark of marks) {
    svg.append(s('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: Math.round(y(mark)) + 0.5,
      y2: Math.round(y(mark)) + 0.5 }));
    svg.append(s('text', { class: 'tick', x: LEFT - 6, y: y(mark) + 4, 'text-anchor': 'end' },
      data.format(mark)));
  }
  for (const index of spread(count, Math.max(1, Math.floor(inner.width / 92)))) {
    const label = data.tick(index);
    if (label) svg.append(s('text', { class: 'tick', x: middle(index), y: height - 5,
      'text-anchor': 'middle' }, label));
  }
  if (kind === 'lines') drawLines(svg, data, middle, y);
  else if (data.stacked) drawStack(svg, data, slot, y);
  else drawBeside(svg, data, slot, y);
  const mark = s('line', { class: 'cursor', y1: TOP, y2: height - BOTTOM, visibility: 'hidden' });
  mark.at = (index) => ({ x: middle(index) });
  svg.append(mark);
  return { svg, width, mark, indexAt: (x) => Math.floor((x - LEFT) / slot) };
}

function greatest(data) {
  let most = 0;
  data.times.forEach((_, index) => {
    const here = data.groups.map((group) => group.values[index] ?? 0);
    most = Math.max(most, data.stacked ? here.reduce((sum, value) => sum + value, 0) : Math.max(...here, 0));
  });
  return most;
}

/** At most `most` indices of `count`, evenly. */
function spread(count, most) {
  const step = Math.ceil(count / most);
  return Array.from({ length: Math.ceil(count / step) }, (_, index) =>
    Math.min(count - 1, index * step + Math.floor((step - 1) / 2)));
}

function drawLines(svg, data, middle, y) {
  for (const group of data.groups) {
    let path = '';
    let open = false;
    group.values.forEach((value, index) => {
      if (value === null) {
        open = false;
        return;
      }
      const alone = !open && (group.values[index + 1] ?? null) === null;
      if (alone) svg.append(s('circle', { class: 'spot ' + group.colour, cx: middle(index), cy: y(value),
        r: 2.5 }));
      path += (open ? 'L' : 'M') + middle(index).toFixed(1) + ' ' + y(value).toFixed(1);
      open = true;
    });
    svg.append(s('path', { class: 'curve ' + group.colour, d: path }));
  }
}

function bar(svg, colour, x, width, from, to) {
  const high = Math.max(from - to, 0.75);
  svg.append(s('rect', { class: 'bar ' + colour, x: x.toFixed(2), width: width.toFixed(2),
    y: (from - high).toFixed(2), height: high.toFixed(2) }));
}

function drawStack(svg, data, slot, y) {
  const gap = slot > 4 ? 1 : 0;
  data.times.forEach((_, index) => {
    let sum = 0;
    for (const group of data.groups) {
      const value = group.values[index] ?? 0;
      if (value > 0) bar(svg, group.colour, LEFT + slot * index + gap / 2, slot - gap, y(sum),
        y(sum + value));
      sum += value;
    }
  });
}

function drawBeside(svg, data, slot, y) {
  const gap = slot > 6 ? 2 : 0;
  const width = Math.max((slot - gap) / data.groups.length, 0.5);
  data.times.forEach((_, index) => {
    data.groups.forEach((group, place) => {
      const value = group.values[index];
      if (value > 0) bar(svg, group.colour, LEFT + slot * index + gap / 2 + width * place, width, y(0),
        y(value));
    });
  });
}
