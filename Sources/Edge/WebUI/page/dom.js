// Makes elements. Text becomes text nodes: there is no way from here to HTML.
//
//   h('button', { class: 'quiet', onclick: run, 'aria-label': texts.run }, icon('play'), 'Run')
//
// `null` and `false` among attributes and children are left out; children may be arrays. Texts that came
// from records or people go through `say(text)`, which shows what is invisible.

import { segments } from './safe.js';

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'selected', 'className', 'tabIndex', 'hidden']);

export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) setAttribute(element, name, attributes[name]);
  append(element, children);
  return element;
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
  else if (name === 'class') element.className = value;
  else if (PROPERTIES.has(name)) element[name] = value;
  else element.setAttribute(name, value === true ? '' : value);
}

export function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/** Puts `children` in the place of what is in `element`. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const ICONS = {
  log: 'M4.5 7.8a3 3 0 1 0 .01 0M11.5 7.8a3 3 0 1 0 .01 0M8 1.8a3 3 0 1 0 .01 0',
  help: 'M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.6v.1',
  theme: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 1 1 0 11',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4 6l4 4 4-4',
  back: 'M4 10l4-4 4 4',
  left: 'M10 4L6 8l4 4',
  right: 'M6 4l4 4-4 4',
  filter: 'M2 4h12M4.5 8h7M7 12h2',
  stop: 'M4.5 4.5h7v7h-7z',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  link: 'M7 9a2.5 2.5 0 0 0 3.5 0l2-2A2.5 2.5 0 0 0 9 3.5l-.8.8' +
    'M9 7a2.5 2.5 0 0 0-3.5 0l-2 2A2.5 2.5 0 0 0 7 12.5l.8-.8',
  user: 'M8 8.5a3 3 0 1 0-.01 0M2.5 14c.5-3 3-4 5.5-4s5 1 5.5 4',
};

/** A small picture that says nothing to a screen reader. */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * Nodes for a text of a record: invisible characters by name, colour and weight of terminals, and
 * `hits` ([[start, end], …], ascending, in UTF-16 units) marked. `lines` keeps breaks and tabs.
 */
export function say(text, { hits = [], lines = false } = {}) {
  const fragment = document.createDocumentFragment();
  for (const part of segments(text, hits)) {
    if (part.escape) continue;
    if (part.name && lines && (part.text === '\n' || part.text === '\t' || part.text === '\r\n')) {
      fragment.append(part.text === '\t' ? '\t' : '\n');
    } else if (part.name) {
      const label = part.label === part.name ? part.name : part.label + ' ' + part.name;
      fragment.append(h('span', { class: 'ctl', title: label }, part.name));
    } else if (part.hit || part.style) {
      const tag = part.hit ? 'mark' : 'span';
      fragment.append(h(tag, { class: part.style || null }, part.text));
    } else {
      fragment.append(part.text);
    }
  }
  return fragment;
}

/** A name or value of a record in a box of its own, whose direction touches nothing around it. */
export function isolated(text, options) {
  return h('bdi', { class: options?.class ?? null }, say(text, options));
}

/** Calls `work` once in the next frame, however often it is asked for. */
export function eachFrame(work) {
  let asked = 0;
  const run = () => {
    asked = 0;
    work();
  };
  return () => {
    if (!asked) asked = requestAnimationFrame(run);
  };
}

/** Calls `work` when nobody has asked for `milliseconds`. */
export function later(milliseconds, work) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

let announcer = null;

/** Tells a screen reader; `urgent` breaks in. */
export function announce(text, urgent = false) {
  announcer ??= ['polite', 'assertive'].map((kind) => {
    const place = h('div', { class: 'unseen', 'aria-live': kind });
    document.body.append(place);
    return place;
  });
  announcer[urgent ? 1 : 0].textContent = text;
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea', { class: 'unseen', value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
