// How to send records here, with this server's address in every line; turns green when the first one comes.

import { events } from './api.js';
import { eachFrame, fill, h, isolated, say } from './dom.js';
import { parse } from './json.js';
import { labelled, snippet } from './parts.js';
import { linkTo } from './place.js';
import { colourOf } from './plot.js';
import { SHIPPERS, snippetsFor } from './shippers.js';
import { words } from './texts-pages.js';
import { clockParts, parseTime } from './time.js';

const NEWEST = 6;

export function page(ctx) {
  const lamp = h('section', { class: 'lamp', role: 'status' });
  const newest = h('ol', { class: 'newest' });
  const isOpen = ctx.me.kind === 'open';
  let shipper = 'curl';
  const key = h('input', { type: 'text', class: 'mono', autocomplete: 'off', spellcheck: 'false',
    oninput: () => commands() });
  const service = h('input', { type: 'text', class: 'mono', autocomplete: 'off', spellcheck: 'false',
    value: 'my-app', oninput: () => commands() });
  const list = h('div', { class: 'snippets' });
  const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-orientation': 'vertical',
    'aria-label': words.send.how });
  const shown = h('div', { class: 'tab-panel', role: 'tabpanel', tabindex: 0, id: 'send-panel' },
    h('div', { class: 'beside' }, labelled(words.send.service, service),
      isOpen ? h('p', { class: 'soft' }, words.send.keyOpen) : labelled(words.send.key, key,
        words.send.keyHint)),
    list,
    isOpen ? null : h('div', null, h('p', { class: 'soft' }, words.send.makeKey),
      snippet(`cordwood keys create shipper --realm native --tenant ${tenantName(ctx)} --role writer`,
        words.send.key)));
  const element = h('div', { class: 'page' }, h('header', { class: 'page-head' },
    h('h1', null, words.send.title)), lamp, newest,
    h('div', { class: 'sending' }, tabs, shown));
  let stop = new AbortController();
  let began = 0;
  let latest = [];

  function commands() {
    const given = isOpen ? '' : key.value.trim() || 'KEY';
    const parts = snippetsFor(shipper, location.origin, given, service.value);
    fill(list, parts.map(({ name, text, needs }) => [h('h2', null, name), snippet(text, name),
      needs ? [h('p', { class: 'soft' }, words.send.needsListen), snippet(needs, words.send.needsListen)]
        : null]));
  }

  function choose(name, focus) {
    shipper = name;
    for (const tab of tabs.children) {
      const isIt = tab.dataset.name === name;
      tab.setAttribute('aria-selected', String(isIt));
      tab.tabIndex = isIt ? 0 : -1;
      if (isIt && focus) tab.focus();
      if (isIt) shown.setAttribute('aria-labelledby', tab.id);
    }
    commands();
  }

  const names = Object.keys(SHIPPERS);
  tabs.append(...names.map((name) => h('button', {
    type: 'button', role: 'tab', id: `send-${name}`, 'aria-controls': 'send-panel', 'data-name': name,
      onclick: () => choose(name),
  }, words.send.tabs[name])));
  tabs.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const at = names.indexOf(shipper);
    const next = step ? (at + step + names.length) % names.length : { Home: 0, End: names.length - 1 }[
      event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(names[next], true);
  });

  function waiting() {
    lamp.className = 'lamp idle';
    fill(lamp, h('i', { 'aria-hidden': 'true' }), h('p', null, words.send.waiting));
    fill(newest);
  }

  const draw = eachFrame(() => {
    if (!latest.length) return;
    if (!lamp.classList.contains('arrived')) {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      lamp.className = 'lamp arrived';
      fill(lamp, h('i', { 'aria-hidden': 'true' }, '✓'), h('p', null, h('b', null, words.send.arrived), ' ',
        words.send.arrivedAfter(seconds)),
        linkTo(ctx, { ...ctx.address(), page: 'logs', dataset: 'logs', q: '', range: '15m', more: new Map() },
          words.send.look, 'button'));
    }
    newest.prepend(...latest.map((data) => line(ctx, parse(data))).reverse());
    while (newest.children.length > NEWEST) newest.lastChild.remove();
    latest = [];
  });

  /** Follows the dataset `logs` for as long as the page is there, over restarts of the server. */
  async function follow(signal) {
    let id = null;
    for (let wait = 250; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
      try {
        await events('GET', 'tail/logs', {
          signal, headers: id ? { 'Last-Event-ID': id } : {},
          onOpen: () => { wait = 250; lamp.classList.remove('away'); },
          onEvent: (event) => {
            id = event.id ?? id;
            if (event.data !== null && (event.type === 'message' || event.type === 'record')) {
              latest = [...latest.slice(1 - NEWEST), event.data];
            }
          },
          onPiece: draw,
        });
      } catch (failure) {
        if (signal.aborted) return;
        lamp.classList.add('away');
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  return {
    element,
    update() {
      stop.abort();
      stop = new AbortController();
      began = performance.now();
      choose(shipper);
      waiting();
      follow(stop.signal);
    },
    leave: () => stop.abort(),
  };
}

const tenantName = (ctx) => (ctx.tenant?.name ?? 'native/default').replace(
  /^[^/]*\//, '').replace(/[^\w.-]/g, '') || 'default';

function line(ctx, record) {
  const time = parseTime(record.timestamp);
  const level = record.level === undefined || record.level === null ? '' : String(record.level);
  return h('li', { class: 'mono' }, h('span', { class: 'soft' }, time === null ? '' : clockParts(time,
    ctx.zone()).clock), ' ',
    level ? h('span', { class: `level ${colourOf(level, 7)}` }, isolated(level)) : null, ' ',
    record.service ? [isolated(String(record.service)), ' '] : null, say(String(record.message ?? '').slice(0,
      300)));
}
