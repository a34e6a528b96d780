// Queries of the Logs page: what each dataset shows first, chips as filter text, bounds by (timestamp,
// position), and what a filter looks for in texts. Pure: no document.

import { parse, write } from './json.js';
import { isoTime } from './time.js';

/**
 * By dataset: `by`, the field of the bars' colours; columns; fields whose values are counted; `texts`,
 * where find looks; `sources`, what "around" keeps the same.
 */
export const DATASETS = {
  logs: {
    by: 'level', columns: ['level', 'service', 'message'], fields: ['level', 'service', 'env'],
    texts: ['message'], sources: ['service', 'metadata.host'],
  },
  audit: {
    by: 'severity', columns: ['severity', 'user_id', 'action', 'resource_type', 'resource_id'],
    fields: ['severity', 'action', 'resource_type', 'user_id'],
    texts: ['action', 'resource_id', 'metadata'], sources: ['user_id'],
  },
  workflows: {
    by: 'status', columns: ['status', 'category', 'ticket_id', 'execution_time_seconds', 'payload'],
    fields: ['status', 'category', 'environment', 'resolution_status'],
    texts: ['payload', 'ticket_id'], sources: ['ticket_id'],
  },
  queries: {
    by: 'status', columns: ['status', 'user_id', 'query'], fields: ['status', 'user_id'],
    texts: ['query'], sources: ['user_id'],
  },
  sessions: {
    by: 'level', columns: ['level', 'container', 'session', 'message'], fields: ['level', 'container',
      'session'],
    texts: ['message'], sources: ['container', 'session'],
  },
};

export function datasetOf(name) {
  return Object.hasOwn(DATASETS, name) ? DATASETS[name] : DATASETS.logs;
}

const ERRORS = ['ERROR', 'FATAL', 'CRITICAL', 'error', 'fatal', 'critical', 'failure', 'failed'];

/** `fatal`, `error`, `warn`, `info`, `debug` or null: what a level, severity or status means. */
export function gradeOf(value) {
  switch (String(value ?? '').toLowerCase()) {
    case 'fatal': case 'critical': case 'emergency': case 'alert': case 'panic': return 'fatal';
    case 'error': case 'err': case 'failed': case 'failure': return 'error';
    case 'warn': case 'warning': return 'warn';
    case 'info': case 'notice': case 'information': case 'success': case 'completed': return 'info';
    case 'debug': case 'trace': case 'verbose': return 'debug';
    default: return null;
  }
}

export function quoted(text) {
  return '"' + text.replace(/["\\]/g, '\\$&') + '"';
}

const literal = (value) => (typeof value === 'string' ? quoted(value) : value.json);

/** A chip as text of the filter language. */
export function conditionText({ field, not, values, exists, ge, lt }) {
  let text;
  if (exists) {
    text = `${field} exists`;
  } else if (!values) {
    text = [ge === null ? '' : `${field} >= ${ge}`, lt === null ? ''
      : `${field} < ${lt}`].filter(Boolean).join(' and ');
    text = text || `${field} exists`;
  } else {
    const real = values.filter((value) => value.json !== 'null');
    const parts = [];
    if (real.length === 1) parts.push(`${field} = ${literal(real[0])}`);
    else if (real.length) parts.push(`${field} in (${real.map(literal).join(', ')})`);
    if (real.length < values.length) parts.push(`not ${field} exists`);
    text = parts.join(' or ');
  }
  return not ? `not (${text})` : text;
}

/** A chip as `summary` takes it, numbers as they were sent. */
export function conditionObject({ field, not, values, exists, ge, lt }) {
  if (exists) return { field, exists: !not };
  if (!values) {
    const bounds = { field };
    if (ge !== null) bounds.ge = parse(ge);
    if (lt !== null) bounds.lt = parse(lt);
    return bounds;
  }
  const list = values.map((value) => (typeof value === 'string' ? value : parse(value.json)));
  return { field, [not ? 'not_in' : 'in']: list };
}

/** Whether parentheses outside of quotes would close more than they open. */
function closesTooMuch(text) {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[()]/gs)) {
    if (token === '(') depth += 1;
    else if (token === ')' && (depth -= 1) < 0) return true;
  }
  return false;
}

/**
 * All conditions as one text, undefined for none. The filter as it was typed comes first in parentheses, so
 * that the place of a fault in it is one behind what was typed; a filter that closes too much is asked
 * alone.
 */
export function whereText(q, filters, more = []) {
  const own = q.trim() ? q : '';
  if (own && closesTooMuch(own)) return own;
  const rest = [...filters.map(conditionText), ...more];
  if (!rest.length) return own || undefined;
  return [...(own ? [own] : []), ...rest].map((part) => `(${part})`).join(' and ');
}

/** Records behind (time, position) in the order of the list: older for `desc`. */
export function behind(order, { time, position }) {
  const sign = order === 'desc' ? '<' : '>';
  const at = quoted(isoTime(time));
  return `timestamp ${sign} ${at} or timestamp = ${at} and position ${sign} ${position}`;
}

export function before(order, place) {
  return behind(order === 'desc' ? 'asc' : 'desc', place);
}

/** A filter that finds `text` in any case in the dataset's texts. */
export function findText(dataset, text) {
  return datasetOf(dataset).texts.map((field) => `${field} icontains ${quoted(text)}`).join(' or ');
}

export function errorText(dataset) {
  return `${datasetOf(dataset).by} in (${ERRORS.map(quoted).join(', ')})`;
}

const WORD = '[^\\s"\'(),=<>~!]';
const TEXT = `"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|${WORD}+`;
const CONDITION = new RegExp(
  `(not\\s+)?([\\p{L}_]${WORD}*)\\s*(icontains|contains|word|prefix|~\\*?|=)\\s*(${TEXT})`, 'giu');

/**
 * What a filter looks for in texts: [{field, pattern}], patterns as regular expressions; nothing that is
 * negated.
 */
export function needles(q) {
  const found = [];
  for (const [, not, field, name, value] of q.matchAll(CONDITION)) {
    const operator = name.toLowerCase();
    if (not || operator === '=') continue;
    const text = /^["']/.test(value) ? value.slice(1, -1).replace(/\\(["'\\])/g, '$1') : value;
    const pattern = patternOf(operator, text);
    if (pattern) found.push({ field, pattern });
  }
  return found;
}

const plainPattern = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

function patternOf(operator, text) {
  if (!text) return null;
  const flags = operator === 'contains' || operator === 'prefix' || operator === '~' ? 'gu' : 'giu';
  // Expressions that could take long here are not marked: groups, and more than two repetitions.
  if (operator[0] === '~' && (/\(/.test(text) || (text.match(/[*+{]/g) ?? []).length > 2)) return null;
  const source = operator[0] === '~' ? text : plainPattern(text);
  try {
    return new RegExp(operator === 'prefix' ? '^' + source : source, flags);
  } catch {
    return null;
  }
}

/** The places of `patterns` in `text`, joined and in order. */
export function hitsOf(text, patterns, most = 100) {
  const hits = [];
  for (const pattern of patterns) {
    pattern.lastIndex = 0;
    for (const found of text.matchAll(pattern)) {
      if (found[0]) hits.push([found.index, found.index + found[0].length]);
      if (hits.length >= most) break;
    }
  }
  hits.sort((a, b) => a[0] - b[0]);
  const joined = [];
  for (const hit of hits) {
    if (joined.length && hit[0] <= joined.at(-1)[1]) joined.at(-1)[1] = Math.max(joined.at(-1)[1], hit[1]);
    else joined.push(hit);
  }
  return joined;
}

export function findPattern(text) {
  return text ? new RegExp(plainPattern(text), 'giu') : null;
}

/** The body of a query for rows. */
export function rowsQuery({ dataset, where, start, end, order, limit, columns }) {
  const body = { dataset, order, limit };
  if (where) body.where = where;
  if (start !== null && start !== undefined) body.start = isoTime(start);
  if (end !== null && end !== undefined) body.end = isoTime(end);
  if (columns) body.columns = columns;
  return body;
}

/** A value of a record as a chip has it: texts as they are, the rest as JSON. */
export function chipValue(value) {
  return typeof value === 'string' ? value : { json: write(value ?? null) };
}
