// What the Logs page says in the place of rows: nothing yet, nothing here, broken, refused, away.

import { fill, h } from './dom.js';
import { Failure } from './api.js';
import { T } from './texts.js';
import { DAY, fullTime, HOUR, MINUTE, parseTime, rangeText, SECOND } from './time.js';

const action = (label, run) => h('button', { type: 'button', onclick: run }, label);

/** A range of a round length around a time, no shorter than what was asked. */
function rangeAround(time, bounds) {
  const asked = bounds.start === null || bounds.end === null ? HOUR : bounds.end - bounds.start;
  const length = [MINUTE, 15n * MINUTE, HOUR, 6n * HOUR, DAY].find((one) => one >= asked) ?? asked;
  return rangeText(time - length + SECOND - (time % SECOND), time + SECOND - (time % SECOND));
}

export async function stateOf(page, box) {
  const { failure, run, address, ctx } = page;
  const clear = address.filters.length || address.q
    ? action(T.logs.clearFilters, () => page.go({ filters: [], q: '' })) : null;
  const show = (title, words, ...actions) => {
    fill(box, h('p', {}, h('strong', {}, title)), words ? h('p', {}, words) : null,
      h('div', { class: 'actions' }, actions.filter(Boolean)));
  };
  if (failure) {
    if (failure.kind === 'range') {
      const hour = action(T.logs.ranges['1h'], () => page.go({ range: '1h' }));
      return show(T.logs.brokenRange, address.range, hour);
    }
    if (failure.kind === 'invalid' && failure.field === 'where') {
      const fixes = page.fixes.map(({ label, text }) => action(label, () => page.go({ q: text })));
      return show(T.logs.broken, '', ...fixes, clear);
    }
    const request = failure.request ? T.failure.request(failure.request) : '';
    return show(ctx.fail(failure), request, action(T.retry, () => page.begin()));
  }
  if (box.dataset.run === String(run.began)) return undefined;
  box.dataset.run = String(run.began);
  show(T.logs.noMatch, '', clear);
  try {
    const { match, any } = await run.nearest();
    if (page.run !== run || page.failure) return undefined;
    if (match) {
      const time = parseTime(match.timestamp);
      show(T.logs.noMatch, T.logs.nearest(fullTime(time, ctx.zone(), 3)),
        action(T.logs.showThem, () => page.go({ range: rangeAround(time, run.bounds) })), clear);
    } else if (any) {
      show(T.logs.noMatchAtAll, '', clear);
    } else {
      show(T.logs.none, T.logs.noneHint(address.dataset),
        h('a', { class: 'button', href: ctx.href({ page: 'send', q: '', filters: [], range: '1h',
          more: new Map() }) }, T.logs.toSend));
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  return undefined;
}
