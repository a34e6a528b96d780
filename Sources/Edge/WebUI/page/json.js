// JSON with numbers as they were sent. A number that JavaScript would write otherwise (2^53 + 1, 1.0)
// becomes a `Num` with its source text. Objects may own a member named `__proto__`: it is data.

/** A number whose text says more than its double. */
export class Num {
  constructor(source) {
    this.source = source;
  }
  toString() {
    return this.source;
  }
  valueOf() {
    return Number(this.source);
  }
}

const hasSource = (() => {
  let seen = false;
  JSON.parse('1.0', (key, value, context) => {
    seen = context?.source === '1.0';
    return value;
  });
  return seen;
})();

const SIGN = '\u0000number:';
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function reviver(key, value, context) {
  return typeof value === 'number' && String(value) !== context.source ? new Num(context.source) : value;
}

/** Browsers without source texts: numbers become marked texts first. */
function parseMarked(text) {
  const marked = text.replace(TOKENS, (token) =>
    token[0] === '"' || String(Number(token)) === token ? token : JSON.stringify(SIGN + token));
  return JSON.parse(marked, (key, value) =>
    typeof value === 'string' && value.startsWith(SIGN) ? new Num(value.slice(SIGN.length)) : value);
}

export function parse(text) {
  return hasSource ? JSON.parse(text, reviver) : parseMarked(text);
}

/** The text of a number as it was sent, or null for what is none. */
export function numberText(value) {
  if (typeof value === 'number') return String(value);
  return value instanceof Num ? value.source : null;
}

/** JSON with numbers as they were sent; `indent` spaces a level, 0 for one line. */
export function write(value, indent = 0, level = 0) {
  const number = numberText(value);
  if (number !== null) return number;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((item) => write(item, indent, level + 1))
    : Object.keys(value).filter((key) => value[key] !== undefined).map((key) =>
      JSON.stringify(key) + (indent ? ': ' : ':') + write(value[key], indent, level + 1));
  if (!parts.length) return open + close;
  if (!indent) return open + parts.join(',') + close;
  const pad = '\n' + ' '.repeat(indent * (level + 1));
  return open + pad + parts.join(',' + pad) + '\n' + ' '.repeat(indent * level) + close;
}

/** An object's own member, whatever its name. */
export function own(object, name) {
  return object !== null && typeof object === 'object' && Object.hasOwn(object, name) ? object[name]
    : undefined;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `metadata.amount`, `metadata["a.b"]`: the path of a member as the filter language writes it. */
export function memberPath(parent, name) {
  if (!parent) return PLAIN.test(name) ? name : JSON.stringify(name);
  if (PLAIN.test(name)) return parent + '.' + name;
  return parent + '["' + name.replace(/["\\]/g, '\\$&') + '"]';
}

/** The names of a path: `metadata["a.b"].c` is `['metadata', 'a.b', 'c']`. */
export function pathNames(path) {
  const names = [];
  const pattern = /\["((?:[^"\\]|\\.)*)"\]|([^.[]+)/g;
  for (const [, quoted, plain] of path.matchAll(pattern)) {
    names.push(quoted === undefined ? plain : quoted.replace(/\\(["\\])/g, '$1'));
  }
  return names;
}

/** The value at `path`, undefined where there is none. */
export function valueAt(record, path) {
  if (Object.hasOwn(record, path)) return record[path];
  let value = record;
  for (const name of pathNames(path)) value = own(value, name);
  return value;
}

/** A value as one text: texts as they are, the rest as JSON. */
export function textOf(value) {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : write(value);
}
