// A chart as it is seen: asked, drawn, in words, as a table. Used by the page of charts and by boards.

import { Failure, call } from './api.js';
import { isMeasure, isSum, lacksField, lines, measureParts } from './chart-data.js';
import { h, isolated } from './dom.js';
import { figure, key, keyText, nothing, table } from './parts.js';
import { tickOf, timeLabel } from './place.js';
import { colourOf, plot } from './plot.js';
import { words } from './texts-pages.js';
import { offsetSeconds } from './time.js';

const DATASETS = ['logs', 'audit', 'workflows', 'queries', 'sessions'];
const KINDS = ['lines', 'bars', 'table'];

/** A chart with all its members from whatever was stored or stands in an address; null for what is none. */
export function chartOf(value) {
  if (value === null || typeof value !== 'object') return null;
  const text = (name, otherwise) => (Object.hasOwn(value, name) && typeof value[name] === 'string'
    ? value[name] : otherwise);
  const chart = {
    dataset: text('dataset', 'logs'), measure: text('measure', 'count'), by: text('by', ''),
      bucket: text('bucket', 'auto'),
    q: text('q', ''), as: text('as', 'bars'), title: text('title', ''), range: text('range', '24h'),
  };
  const known = DATASETS.includes(chart.dataset) && isMeasure(chart.measure) && KINDS.includes(chart.as);
  return known && (/^\d{1,9}(ms|s|m|h|d|w)$/.test(chart.bucket)
    || ['auto', 'none', 'day', 'week', 'month', 'quarter', 'year'].includes(chart.bucket)) ? chart : null;
}

export function measureText(measure) {
  const [name, field] = measureParts(measure);
  return `${words.charts.measures[name]}${field ? ` ${field}` : ''}`;
}

export function titleOf(chart) {
  if (chart.title) return chart.title;
  const per = chart.bucket === 'none' || chart.bucket === 'auto' ? '' : words.charts.buckets[
    chart.bucket] ?? chart.bucket;
  return words.charts.titleOf(measureText(chart.measure), chart.by, per);
}

const asText = (chart) => (chart.measure === 'share' ? (value) => `${figure(value * 100)} %` : figure);

/** Nodes that show `chart` over `range` ({start, end}); its own state if there is nothing to draw. A fault of
 * its filter knows the filter, so that it is marked. */
export async function chartNodes(ctx, chart, range, signal) {
  try {
    return await drawnNodes(ctx, chart, range, signal);
  } catch (failure) {
    if (failure instanceof Failure && failure.character !== null && chart.q) failure.filter = chart.q;
    throw failure;
  }
}

async function drawnNodes(ctx, chart, range, signal) {
  if (lacksField(chart.measure)) return [nothing(words.charts.needsField)];
  const ask = async (query) => (await call('POST', 'query', { body: query, signal })).rows;
  const offset = offsetSeconds(ctx.zone(), range.start);
  const found = await lines(chart, { ...range, offset }, ask);
  const isEmpty = (value) => value === null || (value === 0 && isSum(chart.measure));
  const known = found.groups.filter((group) => !group.values.every(isEmpty));
  if (!known.length) return [nothing(found.groups.length && !isSum(chart.measure) ? words.charts.noNumbers
    : words.charts.empty)];
  const more = found.more > 0 ? h('p', { class: 'notice' }, words.charts.more(found.groups.length,
    found.more), ' ', words.charts.narrower) : null;
  const named = found.groups.map((group, index) => ({
    ...group, name: chart.by ? keyText(group.key) : measureText(chart.measure), only: !chart.by,
    colour: chart.by ? colourOf(keyText(group.key), index) : chart.measure === 'errors' ? 'of-error' : 'of-0',
  }));
  if (!found.bucket) named.sort((one, other) => (other.values[0] ?? -Infinity) - (
    one.values[0] ?? -Infinity));
  if (chart.as === 'table') return [more, tableOf(ctx, chart, found, named)];
  if (!found.bucket) return [more, ranking(chart, named)];
  return [more, drawing(ctx, chart, found, named)];
}

function drawing(ctx, chart, found, groups) {
  const format = asText(chart);
  // Levels are stacked with the worst at the base line.
  const order = ['of-fatal', 'of-error', 'of-warn', 'of-info', 'of-good', 'of-debug'];
  const place = (group) => (order.indexOf(group.colour) + 1) || order.length + 1;
  const isStacked = chart.as === 'bars' && isSum(chart.measure);
  return plot(chart.as, {
    times: found.times.map((time) => timeLabel(ctx, time, found.bucket)), format, stacked: isStacked,
    whole: ['count', 'errors'].includes(chart.measure),
    tick: (index) => tickOf(ctx, found.times[index], found.bucket),
    groups: isStacked ? [...groups].sort((one, other) => place(one) - place(other)) : groups,
  }, words.charts.sentence(titleOf(chart), groups.length, found.times.length));
}

/** Groups without time: a bar each, the greatest first. */
function ranking(chart, groups) {
  const format = asText(chart);
  const most = Math.max(...groups.map((group) => group.values[0] ?? 0));
  return h('table', { class: 'ranking' }, h('caption', { class: 'unseen' }, titleOf(chart)), h('tbody', null,
    groups.map((group) => {
    const bar = h('i', { class: 'of-0' });
    bar.style.width = `${most > 0 ? Math.max(0, 100 * (group.values[0] ?? 0) / most) : 0}%`;
    return h('tr', null, h('th', { scope: 'row' }, group.only ? group.name : key(group.key)),
      h('td', { class: 'lane' }, bar), h('td', { class: 'number' }, format(group.values[0])));
  })));
}

function tableOf(ctx, chart, found, groups) {
  const format = asText(chart);
  const title = titleOf(chart);
  if (!found.bucket) {
    return table(title, [chart.by ? isolated(chart.by) : words.charts.group, [words.charts.value]],
      groups.map((group) => [group.only ? group.name : key(group.key), format(group.values[0])]));
  }
  const columns = [words.charts.time, ...groups.map((group) => [group.only ? group.name : key(group.key)])];
  return table(title, columns, found.times.map((time, index) =>
    [timeLabel(ctx, time, found.bucket), ...groups.map((group) => format(group.values[index]))]));
}
