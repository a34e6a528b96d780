// From what a chart is to say to the queries that say it, and from their answers to lines. Pure: no document.
//
// A chart is {dataset, measure, by, bucket, q, as, title}: `measure` is `count`, `errors`, `share` (of
// errors), `avg:FIELD`, `p95:FIELD` and so on; `by` a field or empty; `bucket` `auto`, `none`, `5m`, `day` …

import { quoted } from './query.js';
import { DAY, SECOND, isoTime, parseLength, parseTime, stepFor } from './time.js';

// As many as there are colours; without time no colours are needed.
export const groupsMax = (chart) => (chart.bucket === 'none' ? 30 : 8);
const BUCKETS_MAX = 120;

/** By which field a dataset's records are good or bad, and what is bad. */
export const ERRORS = {
  logs: { field: 'level', bad: ['ERROR', 'FATAL', 'CRITICAL'] },
  audit: { field: 'severity', bad: ['ERROR', 'CRITICAL'] },
  workflows: { field: 'status', bad: ['ERROR', 'FAILED'] },
  queries: { field: 'status', bad: ['ERROR', 'FAILED', 'FAILURE'] },
  sessions: { field: 'level', bad: ['ERROR', 'FATAL', 'CRITICAL'] },
};

export const FIELD_MEASURES = ['avg', 'p50', 'p95', 'p99', 'min', 'max', 'sum', 'distinct'];

/** `avg:metadata.x` is ['avg', 'metadata.x']; `count` is ['count', '']. */
export function measureParts(measure) {
  const at = measure.indexOf(':');
  return at < 0 ? [measure, ''] : [measure.slice(0, at), measure.slice(at + 1)];
}

export function isMeasure(measure) {
  const [name, field] = measureParts(measure);
  return FIELD_MEASURES.includes(name) || (!field && ['count', 'errors', 'share'].includes(name));
}

/** Whether it measures a field and none is named. */
export function lacksField(measure) {
  const [name, field] = measureParts(measure);
  return FIELD_MEASURES.includes(name) && !field;
}

/** Whether values of groups may be put one on the other. */
export function isSum(measure) {
  return ['count', 'errors', 'sum'].includes(measureParts(measure)[0]);
}

function isBad(dataset) {
  const { field, bad } = ERRORS[dataset];
  return { in: [field, bad] };
}

/** What the server is to measure, as `value`; for shares also `of`. */
export function measuresOf({ dataset, measure }) {
  const [name, field] = measureParts(measure);
  if (name === 'count') return [{ count: true, as: 'value' }];
  const errors = { count: { where: isBad(dataset) }, as: 'value' };
  if (name === 'errors') return [errors];
  if (name === 'share') return [errors, { count: true, as: 'of' }];
  if (name === 'distinct') return [{ count_distinct: field, as: 'value' }];
  if (name[0] === 'p') return [{ quantile: [field, Number(name.slice(1)) / 100], as: 'value' }];
  return [{ [name]: field, as: 'value' }];
}

function valueOf(row, measure) {
  if (measure === 'share') return row.of ? Number(row.value) / Number(row.of) : null;
  return row.value === null || row.value === undefined ? (isSum(measure) ? 0 : null) : Number(row.value);
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,15})?$/;

/** A condition that `field` is one of these group keys, null for missing. Keys of members may be numbers. */
export function isOneOf(field, keys) {
  const isMember = /[.[]/.test(field);
  const values = [];
  for (const key of keys) {
    if (key === null) continue;
    values.push(quoted(key));
    if (isMember && (NUMBER.test(key) || key === 'true' || key === 'false')) values.push(key);
  }
  const known = values.length ? `${field} in (${values.join(', ')})` : '';
  const missing = keys.includes(null) ? `not ${field} exists` : '';
  return known && missing ? `(${known} or ${missing})` : known || missing;
}

export function both(one, other) {
  if (!one.trim() || !other.trim()) return one.trim() || other.trim();
  return `(${one}) and ${other}`;
}

/** The bucket as queries write it, null for none. */
export function bucketOf(bucket, start, end) {
  if (bucket === 'none') return null;
  return bucket === 'auto' ? stepFor(start, end, BUCKETS_MAX) : bucket;
}

const CALENDAR = { month: 1, quarter: 3, year: 12 };

/** The starts of all buckets that touch the range, as times. At most 2,000. */
export function bucketStarts(start, end, bucket, offsetSeconds = 0) {
  const offset = BigInt(offsetSeconds) * SECOND;
  const list = [];
  if (CALENDAR[bucket]) {
    const date = new Date(Number((start + offset) / 1_000_000n));
    let month = date.getUTCFullYear() * 12 + date.getUTCMonth();
    month -= month % CALENDAR[bucket];
    for (; list.length < 2000; month += CALENDAR[bucket]) {
      const time = BigInt(Date.UTC(Math.floor(month / 12), month % 12, 1)) * 1_000_000n - offset;
      if (time >= end) break;
      list.push(time);
    }
    return list;
  }
  const length = { day: DAY, week: 7n * DAY }[bucket] ?? parseLength(bucket);
  // The first of January 1970 was a Thursday; weeks of the calendar begin on Mondays.
  const origin = bucket === 'week' ? 4n * DAY - offset : bucket === 'day' ? -offset : 0n;
  let time = origin + ((start - origin) / length) * length;
  if (time > start) time -= length;
  for (; time < end && list.length < 2000; time += length) list.push(time);
  return list;
}

const isCalendar = (bucket) => bucket === 'day' || bucket === 'week' || Boolean(CALENDAR[bucket]);

/**
 * Asks, by `ask(query)`, which gives an answer's rows, for the lines of a chart:
 * {times, groups: [{key, values}], more, bucket}. `more`: how many groups there are beyond those shown.
 */
export async function lines(chart, { start, end, offset = 0 }, ask) {
  const bucket = bucketOf(chart.bucket || 'auto', start, end);
  const base = { dataset: chart.dataset, start: isoTime(start), end: isoTime(end), ...asked(chart.q) };
  let keys = [null];
  let more = 0;
  let tops = [];
  if (chart.by) {
    tops = await ask({
      ...base, group_by: [chart.by], measures: measuresOf(chart), order_by: 'value', limit: groupsMax(chart),
    });
    keys = tops.map((row) => keyOf(row, chart.by));
    if (tops.length === groupsMax(chart)) {
      const [row] = await ask({ ...base, measures: [{ count_distinct: chart.by, as: 'distinct' }] });
      more = Math.max(0, Number(row.distinct) - keys.filter((key) => key !== null).length);
    }
  }
  if (!bucket) {
    const rows = chart.by ? tops : await ask({ ...base, measures: measuresOf(chart) });
    return { bucket, times: [], more, groups: rows.map((row, index) => ({
      key: keys[index], values: [valueOf(row, chart.measure)],
    })) };
  }
  const only = more ? isOneOf(chart.by, keys) : '';
  const rows = keys.length ? await ask({
    ...base, ...asked(both(chart.q ?? '', only)), bucket, measures: measuresOf(chart),
    ...(chart.by ? { group_by: [chart.by] } : {}),
    ...(isCalendar(bucket) && offset ? { utc_offset_seconds: offset } : {}),
  }) : [];
  return { bucket, more, ...grid(chart, rows, keys, bucketStarts(start, end, bucket, offset)) };
}

const asked = (q) => (q && q.trim() ? { where: q } : {});
const keyOf = (row, by) => (row[by] === undefined ? null : row[by]);

function grid(chart, rows, keys, times) {
  const place = new Map(times.map((time, index) => [time, index]));
  const empty = isSum(chart.measure) ? 0 : null;
  const groups = keys.map((key) => ({ key, values: times.map(() => empty) }));
  const byKey = new Map(groups.map((group) => [group.key, group]));
  for (const row of rows) {
    const index = place.get(parseTime(row.bucket));
    const group = byKey.get(chart.by ? keyOf(row, chart.by) : null);
    if (index !== undefined && group) group.values[index] = valueOf(row, chart.measure);
  }
  return { times, groups };
}

/** Charts that are there from the start, by dataset. */
export const READY = [
  { id: 'severity', dataset: 'audit', measure: 'count', by: 'severity', bucket: 'day', range: '30d',
    as: 'bars' },
  { id: 'runs', dataset: 'workflows', measure: 'count', by: 'status', bucket: 'day', range: '7d',
    as: 'bars' },
  { id: 'runTime', dataset: 'workflows', measure: 'avg:execution_time_seconds', by: 'category', bucket: 'day',
    range: '7d', as: 'lines' },
  { id: 'runP95', dataset: 'workflows', measure: 'p95:execution_time_seconds', by: 'category', bucket: 'none',
    range: '7d', as: 'bars' },
  { id: 'runErrors', dataset: 'workflows', measure: 'share', by: 'category', bucket: 'none', range: '7d',
    as: 'bars' },
  { id: 'levels', dataset: 'logs', measure: 'count', by: 'level', bucket: 'auto', range: '24h', as: 'bars' },
  { id: 'errors', dataset: 'logs', measure: 'errors', by: 'service', bucket: 'auto', range: '24h',
    as: 'lines' },
];
