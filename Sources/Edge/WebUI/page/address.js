// Addresses of the page. All that is seen follows from them. Pure: no document.
//
//   /ui/logs?tenant=native/shop&dataset=logs&q=TEXT&f=level:ERROR,FATAL&f=-service:cart&range=1h&at=POSITION
//
// `f` is a condition of its own: `[-]FIELD:VALUES`. In FIELD and VALUES a backslash makes the next character
// plain. A value is a text; `#12.5` a number, `#true` a truth value, `#null` what is missing; `*` any value;
// `[1..2)` numbers from 1 to below 2, each end may be left out.

export const PAGES = ['overview', 'logs', 'trace', 'charts', 'verify', 'send', 'manage', 'signin'];

export const DEFAULTS = { range: '1h', order: 'desc', dataset: 'logs' };

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const PLAIN = /^(null|true|false|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/;

/** A filter: {field, not, values: [text | {json}]}, {field, not, exists: true} or {field, not, ge, lt}. */
function parseFilter(text) {
  const not = text[0] === '-';
  const parts = splitEscaped(not ? text.slice(1) : text);
  const colon = parts.findIndex((part) => part.sign === ':');
  if (colon < 0) return null;
  const field = textOf(parts.slice(0, colon));
  const rest = parts.slice(colon + 1);
  if (!field) return null;
  if (rest.length === 1 && rest[0].sign === '*') return { field, not, exists: true };
  const numbers = /^\[(-?[\d.eE+-]*)\.\.(-?[\d.eE+-]*)\)$/.exec(rest.map((part) => part.sign
    ?? '\\').join(''));
  if (numbers) {
    const [ge, lt] = [numbers[1] || null, numbers[2] || null];
    if (![ge, lt].every((one) => one === null || NUMBER.test(one))) return null;
    return ge === null && lt === null ? { field, not, exists: true } : { field, not, ge, lt };
  }
  const values = [[]];
  for (const part of rest) {
    if (part.sign === ',') values.push([]);
    else values.at(-1).push(part);
  }
  return { field, not, values: values.map(valueOf) };
}

/** Characters: `{sign}` as they are, `{plain}` behind a backslash. */
function splitEscaped(text) {
  const parts = [];
  const characters = Array.from(text);
  for (let index = 0; index < characters.length; index += 1) {
    if (characters[index] === '\\' && index + 1 < characters.length) {
      index += 1;
      parts.push({ plain: characters[index] });
    } else {
      parts.push({ sign: characters[index] });
    }
  }
  return parts;
}

const textOf = (parts) => parts.map((part) => part.sign ?? part.plain).join('');

function valueOf(parts) {
  const text = textOf(parts);
  return parts[0]?.sign === '#' && PLAIN.test(text.slice(1)) ? { json: text.slice(1) } : text;
}

const escaped = (text) => text.replace(/[\\,:]/g, '\\$&').replace(/^[-#*[]/, '\\$&');

export function filterText({ field, not, values, exists, ge, lt }) {
  const head = (not ? '-' : '') + escaped(field) + ':';
  if (exists) return head + '*';
  if (!values) return `${head}[${ge ?? ''}..${lt ?? ''})`;
  return head + values.map((value) => (typeof value === 'string' ? escaped(value) : '#'
    + value.json)).join(',');
}

/** The same filter, whatever the order of its values. */
export function sameFilter(a, b) {
  return filterText(a) === filterText(b);
}

/**
 * {page, tenant, dataset, q, filters, range, columns, order, at, more} of a path and query; `more` is a Map
 * of the other parameters. Null where the path is no page's.
 */
export function parseAddress(href) {
  const url = new URL(href, 'http://page.invalid');
  const found = /^\/ui(?:\/([a-z]*))?\/?$/.exec(url.pathname);
  if (!found) return null;
  const page = found[1] || 'overview';
  if (!PAGES.includes(page)) return null;
  const address = {
    page, tenant: null, dataset: DEFAULTS.dataset, q: '', filters: [], range: DEFAULTS.range, columns: null,
    order: DEFAULTS.order, at: null, more: new Map(),
  };
  for (const [name, value] of url.searchParams) {
    if (name === 'f') {
      const filter = parseFilter(value);
      if (filter) address.filters.push(filter);
    } else if (name === 'columns') address.columns = readList(value);
    else if (name === 'order') address.order = value === 'asc' ? 'asc' : 'desc';
    else if (name === 'at') address.at = /^\d{1,19}$/.test(value) ? value : null;
    else if (['tenant', 'dataset', 'q', 'range'].includes(name)) address[name] = value;
    else address.more.set(name, value);
  }
  return address;
}

function readList(value) {
  const list = [[]];
  for (const part of splitEscaped(value)) {
    if (part.sign === ',') list.push([]);
    else list.at(-1).push(part);
  }
  return list.map(textOf).filter(Boolean);
}

const coded = (text) => encodeURIComponent(text).replace(/%(?:2C|3A|2F|40|5B|5D|20)/g, (code) =>
  (code === '%20' ? '+' : decodeURIComponent(code)));

/** The path and query of an address; what is the default is left out. */
export function addressText(address) {
  const parts = [];
  const add = (name, value, otherwise = '') => {
    if (value !== null && value !== undefined && value !== otherwise) parts.push(`${name}=${coded(value)}`);
  };
  add('tenant', address.tenant);
  add('dataset', address.dataset, DEFAULTS.dataset);
  add('q', address.q);
  for (const filter of address.filters ?? []) add('f', filterText(filter));
  add('range', address.range, DEFAULTS.range);
  if (address.columns) add('columns', address.columns.map(escaped).join(','));
  add('order', address.order, DEFAULTS.order);
  for (const [name, value] of address.more ?? []) add(name, value, null);
  add('at', address.at);
  const path = '/ui/' + (address.page === 'overview' ? '' : address.page);
  return parts.length ? `${path}?${parts.join('&')}` : path;
}

/** Adds a value to the filter of its field, or takes it away if it is there; the other kind gives way. */
export function toggledFilter(filters, field, value, not) {
  const key = JSON.stringify(value);
  const without = (list) => list.filter((one) => JSON.stringify(one) !== key);
  const rest = [];
  let had = false;
  for (const filter of filters) {
    if (filter.field !== field || !filter.values) {
      rest.push(filter);
      continue;
    }
    const values = without(filter.values);
    if (filter.not === not) {
      if (values.length === filter.values.length) values.push(value);
      had = true;
    }
    if (values.length) rest.push({ ...filter, values });
  }
  return had ? rest : [...rest, { field, not, values: [value] }];
}
