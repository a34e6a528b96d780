// What is kept how long, what could not be forwarded, what is masked.

import { call } from './api.js';
import { h, isolated, say } from './dom.js';
import { parse, write } from './json.js';
import { makeForm, reload, sureButton } from './manage-access.js';
import { duration, key, nothing, panel, show, snippet, table } from './parts.js';
import { words } from './texts-pages.js';
import { fullTime, parseTime } from './time.js';

const W = words.manage;
const LETTERS = 200;
const DATASETS = ['logs', 'audit', 'workflows', 'queries', 'sessions'];

export function retentionPart(ctx, signal) {
  const { element, body } = panel(W.tabs.retention, { wide: true });
  show(body, async () => {
    const { retention } = await call('GET', 'status', { signal });
    const kept = (dataset) => {
      const seconds = Number(retention?.[`${dataset}_seconds`] ?? NaN);
      if (Number.isNaN(seconds)) return '–';
      return seconds ? duration(seconds * 1000) : W.retention.ever;
    };
    return table(W.tabs.retention, [W.retention.dataset, [W.retention.for]],
      DATASETS.map((dataset) => [words.datasets[dataset], kept(dataset)]));
  });
  return [h('p', { class: 'intro' }, W.retention.intro), element, h('p', { class: 'soft' }, W.retention.how),
    snippet('retention:\n  logs_seconds: 2592000', W.tabs.retention)];
}

export function lettersPart(ctx, signal) {
  const { element, body } = panel(W.tabs.letters, { wide: true });
  const act = async (what, chosen) => {
    await call('POST', `admin/deadletters/${what}`, { body: chosen });
    load();
  };
  const buttons = (chosen, name) => h('span', { class: 'tools' },
    sureButton(W.letters.again, `${W.letters.again}: ${name}`, () => act('replay', chosen)),
    sureButton(W.letters.drop, `${W.letters.drop}: ${name}`, () => act('drop', chosen)));
  const load = () => reload(body, async () => {
    const { dead_letters: letters } = await call('GET', `admin/deadletters?limit=${LETTERS}`, { signal });
    if (!letters.length) return nothing(W.letters.none);
    const when = (text) => fullTime(parseTime(text) ?? 0n, ctx.zone(), 0);
    return [table(W.tabs.letters, [W.letters.refused, W.tenant, W.letters.reason, W.letters.line, ['']],
      letters.map((one) => [h('span', { class: 'mono' }, when(one.refused_at)), key(String(one.token ?? '')),
        say(String(one.reason ?? '')),
        h('span', { class: 'mono cut' }, say(typeof one.line === 'string' ? one.line : write(one.line))),
          buttons({ ids: [one.id] }, String(one.id))])),
    h('p', { class: 'beside' }, h('span', null, W.letters.all), buttons({ all: true }, W.letters.all))];
  });
  load();
  return [h('p', { class: 'intro' }, W.letters.intro), element];
}

export function maskingPart(ctx, signal) {
  const entry = h('textarea', { class: 'mono', rows: 9, spellcheck: 'false', 'aria-label': W.masking.entry,
    value: write(W.masking.sample, 2) });
  const out = h('div', { class: 'masked', role: 'status' });
  const form = makeForm(W.masking.entry, W.masking.run, [entry], async () => {
    let record;
    try {
      record = parse(entry.value);
    } catch {
      return h('span', { class: 'badness' }, W.masking.broken);
    }
    if (record === null || typeof record !== 'object' || Array.isArray(record)) return h('span',
      { class: 'badness' }, W.masking.broken);
    await reload(out, async () => tried(await call('POST', 'admin/masking:test',
      { body: `{"entry":${write(record)}}`, signal })));
    return null;
  });
  form.classList.add('tall');
  return [h('p', { class: 'intro' }, W.masking.intro), form, out];
}

function tried(answer) {
  const hits = answer.hits ?? [];
  return h('div', { class: 'panels' }, h('section', { class: 'panel' }, h('header', null,
    h('h2', null, W.masking.masked)),
    h('pre', { tabindex: 0 }, say(write(answer.entry, 2), { lines: true }))),
  h('section', { class: 'panel' }, h('header', null, h('h2', null, W.masking.hits)),
    hits.length ? table(W.masking.hits, [W.masking.place, W.masking.rule], hits.map((hit) =>
      [isolated(String(hit.place)), isolated(String(hit.rule))])) : h('p', { class: 'soft' },
        W.masking.noHits)));
}
