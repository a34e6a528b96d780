// What the Logs page says of an answer: how many, how long, of what; what went wrong.

import { serverNow } from './api.js';
import { announce, fill, h } from './dom.js';
import { datasetOf } from './query.js';
import { T } from './texts.js';
import { zoneName } from './time.js';

/** A filter that cannot be read is marked; other failures are said above the rows. */
export function tellFault(page, failure) {
  if (failure.kind === 'invalid' && failure.field === 'where') {
    const typed = page.address.filters.length && failure.character !== null ? failure.character - 1
      : failure.character;
    const character = typed !== null && typed <= Array.from(page.address.q).length ? Math.max(0, typed)
      : null;
    const field = datasetOf(page.address.dataset).texts[0];
    const words = page.address.q.trim();
    const fixes = /^["']|[=~<>]/.test(words) ? [] : [{ label: T.logs.findInstead(field),
      text: `${field} icontains "${words.replace(/["\\]/g, '\\$&')}"` }];
    page.filter.setFault({ character, detail: failure.detail }, fixes);
    page.fixes = fixes;
    announce(failure.detail, true);
  } else if (failure.kind !== 'range' && !page.nothing) {
    fill(page.banner, h('span', {}, page.ctx.fail(failure)), h('button', { type: 'button', onclick: () => {
      page.begin({ keep: true });
    } }, T.retry));
    page.banner.hidden = false;
  }
}

export function showStatus(page) {
  const { run, list, following } = page;
  const parts = [];
  const total = run?.total ?? run?.rows?.total ?? null;
  if (following) parts.push(...following.words());
  if (total !== null && run.share >= 1) parts.push(h('strong', {}, T.logs.count(total + list.live.length)));
  else if (list.count) parts.push(h('strong', {}, T.logs.atLeastCount(list.count)));
  if (page.stopped) parts.push(page.stopped);
  if (run?.running && run.share < 1) parts.push(T.logs.share(run.share));
  const ms = run?.statistics?.ms;
  if (ms !== undefined && !following) parts.push(T.logs.ms(Number(ms) < 10 ? Number(ms).toFixed(1)
    : Math.round(Number(ms))));
  if (run?.statistics?.rows_looked_at !== undefined
    && !following) parts.push(T.logs.looked(run.statistics.rows_looked_at));
  if (run?.rows?.incomplete) parts.push(h('span', { class: 'fault' }, T.logs.incomplete));
  parts.push(zoneName(page.ctx.zone(), run?.bounds?.end ?? serverNow()));
  fill(page.status, parts.map((part, index) => [index ? h('span', { class: 'soft' }, ' · ') : null, part]));
}
