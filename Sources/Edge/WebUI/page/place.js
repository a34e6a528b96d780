// Where a page stands: its range, the datasets of the tenant, links to elsewhere, times as people read them.

import { addressText } from './address.js';
import { serverNow } from './api.js';
import { h } from './dom.js';
import { select } from './parts.js';
import { DAY, clockParts, fullTime, resolveRange, stepLength, zoneName } from './time.js';
import { words } from './texts-pages.js';

/** Those of the tenant, or all where the server does not say. */
export function datasetsOf(ctx) {
  const known = ['logs', 'workflows', 'audit', 'queries', 'sessions'];
  const given = ctx.tenant?.datasets;
  return given ? known.filter((name) => given.includes(name)) : known;
}

/**
 * The range of a page whose own default is `otherwise`: {start, end, range, isBroken, element}, `element`
 * being what changes it. `1h`, which addresses leave out, stands for the default; an hour is `60m`.
 */
export function rangeChoice(ctx, address, otherwise) {
  const now = serverNow();
  const asked = address.range === '1h' ? otherwise : address.range;
  let found = resolveRange(asked, now);
  const isBroken = !found || found.start === null;
  if (isBroken) found = resolveRange(otherwise, now);
  const range = isBroken ? otherwise : asked;
  const ranges = Object.entries(words.ranges);
  const own = words.ranges[range] ? [] : [[range, rangeLabel(ctx, found)]];
  const control = select([...ranges, ...own], range, (value) =>
    ctx.go({ ...address, range: value === otherwise ? '1h' : value }));
  control.setAttribute('aria-label', words.range);
  const element = h('div', { class: 'range' }, control,
    h('button', { type: 'button', class: 'quiet square', 'aria-label': words.refresh, title: words.refresh,
      onclick: () => ctx.go(address) }, '↻'),
    h('span', { class: 'soft' }, words.zone(zoneName(ctx.zone(), found.end))),
    isBroken ? h('span', { class: 'badness', role: 'alert' }, words.brokenRange) : null);
  return { ...found, range, isBroken, element };
}

function rangeLabel(ctx, { start, end }) {
  return `${fullTime(start, ctx.zone(), 0)} – ${fullTime(end, ctx.zone(), 0)}`;
}

export function linkTo(ctx, address, text, kind = null) {
  return h('a', { href: addressText({ at: null, columns: null, filters: [], ...address }), class: kind },
    text);
}

/** A moment, as exactly as a bucket of `step` needs. */
export function timeLabel(ctx, time, step = '1s') {
  const zone = ctx.zone();
  const { day, clock } = clockParts(time, zone);
  const length = stepLength(step);
  if (step === 'month' || step === 'quarter') return day.slice(0, 7);
  if (step === 'year') return day.slice(0, 4);
  return length >= DAY ? day : `${day} ${length >= 60_000_000_000n ? clock.slice(0, 5) : clock}`;
}

/** The same below an axis: the day where it begins, else the clock. */
export function tickOf(ctx, time, step) {
  const { day, clock } = clockParts(time, ctx.zone());
  if (stepLength(step) >= DAY) return timeLabel(ctx, time, step).replace(/^\d{4}-(?=\d\d-\d\d$)/, '');
  return clock.startsWith('00:00') ? day.slice(5) : clock.slice(0, stepLength(step) >= 60_000_000_000n ? 5
    : 8);
}
