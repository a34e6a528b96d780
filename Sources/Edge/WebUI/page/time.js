// Times are BigInts of nanoseconds since 1970 UTC. Pure: no document.

export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;
export const DAY = 24n * HOUR;
const UNITS = { ms: 1_000_000n, s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7n * DAY };

const floorDivide = (a, b) => (a >= 0n ? a / b : -((-a + b - 1n) / b));

/** Nanoseconds of an RFC 3339 text with its offset; null for anything else. */
export function parseTime(text) {
  const found = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!found) return null;
  const [, day, clock, fraction = '', offset] = found;
  const milliseconds = Date.parse(`${day}T${clock}${offset.toUpperCase()}`);
  if (Number.isNaN(milliseconds)) return null;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** RFC 3339 in UTC, with as many digits as the time needs. */
export function isoTime(nanoseconds) {
  const seconds = floorDivide(nanoseconds, SECOND);
  const fraction = String(nanoseconds - seconds * SECOND).padStart(9, '0').replace(/0+$/, '');
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return text + (fraction ? '.' + fraction : '') + 'Z';
}

const formats = new Map();
const offsets = new Map();

function formatOf(zone) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric',
      minute: 'numeric', second: 'numeric', era: 'short',
    }));
  }
  return formats.get(zone);
}

let local = null;

export function localZone() {
  local ??= Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  return local;
}

export function isZone(name) {
  try {
    return Boolean(formatOf(name));
  } catch {
    return false;
  }
}

/** How many seconds `zone` is ahead of UTC at a time. Kept by quarter of an hour: no zone changes within. */
export function offsetSeconds(zone, nanoseconds) {
  if (zone === 'UTC') return 0;
  const quarter = Number(floorDivide(nanoseconds, 15n * MINUTE));
  const key = zone + quarter;
  let offset = offsets.get(key);
  if (offset === undefined) {
    const at = quarter * 900_000;
    const part = {};
    for (const { type, value } of formatOf(zone).formatToParts(at)) part[type] = value;
    const year = part.era === 'BC' ? 1 - Number(part.year) : Number(part.year);
    const there = Date.UTC(year, part.month - 1, part.day, part.hour, part.minute, part.second);
    offset = Math.round((there - at) / 1000);
    if (offsets.size > 5000) offsets.clear();
    offsets.set(key, offset);
  }
  return offset;
}

/**
 * The time that a clock in `zone` shows as UTC would: {day: '2026-11-19', clock: '12:00:00', fraction:
 * '123…'}.
 */
export function clockParts(nanoseconds, zone) {
  const there = nanoseconds + BigInt(offsetSeconds(zone, nanoseconds)) * SECOND;
  const seconds = floorDivide(there, SECOND);
  const text = new Date(Number(seconds) * 1000).toISOString();
  const split = text.indexOf('T');
  return {
    day: text.slice(0, split), clock: text.slice(split + 1, split + 9),
    fraction: String(there - seconds * SECOND).padStart(9, '0'),
  };
}

/** `2026-11-19 12:00:00.123456789`; `digits` 0 to 9 of the second. */
export function fullTime(nanoseconds, zone, digits = 9) {
  const { day, clock, fraction } = clockParts(nanoseconds, zone);
  return `${day} ${clock}${digits ? '.' + fraction.slice(0, digits) : ''}`;
}

/** `UTC`, `UTC+1`, `UTC+5:30`. */
export function offsetName(zone, nanoseconds) {
  const minutes = Math.round(offsetSeconds(zone, nanoseconds) / 60);
  if (!minutes) return 'UTC';
  const size = Math.abs(minutes);
  const rest = size % 60 ? ':' + String(size % 60).padStart(2, '0') : '';
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${rest}`;
}

/** `UTC` or `Europe/Berlin (UTC+1)`. */
export function zoneName(zone, nanoseconds) {
  return zone === 'UTC' ? 'UTC' : `${zone} (${offsetName(zone, nanoseconds)})`;
}

/**
 * What a clock in `zone` showed, as a time. Where it showed that twice the first; where it never did, the
 * time as much later as the clock was moved.
 */
function fromClock(there, zone) {
  const before = BigInt(offsetSeconds(zone, there - DAY)) * SECOND;
  const after = BigInt(offsetSeconds(zone, there + DAY)) * SECOND;
  for (const offset of before >= after ? [before, after] : [after, before]) {
    const time = there - offset;
    if (BigInt(offsetSeconds(zone, time)) * SECOND === offset) return time;
  }
  return there - before;
}

/** A length such as `15m`, `1h`, `500ms`; null for anything else. */
export function parseLength(text) {
  const found = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text);
  return found ? BigInt(found[1]) * UNITS[found[2]] : null;
}

/** `500ms`, `15m`, `1h`: the longest unit that is whole. */
export function lengthText(nanoseconds) {
  for (const [unit, size] of Object.entries(UNITS).reverse()) {
    if (unit !== 'w' && nanoseconds % size === 0n) return `${nanoseconds / size}${unit}`;
  }
  return `${nanoseconds}ns`;
}

/**
 * A time as people write it: RFC 3339, `2026-11-19`, `2026-11-19 12:00[:00[.5]]` and `12:00` in `zone`,
 * `now`, `-15m`, or a number since 1970 whose size tells its unit. Null for anything else.
 */
export function readTime(written, zone, now) {
  const text = written.trim();
  if (text === 'now') return now;
  const back = /^(?:now)?\s*[-−]\s*(\w+)$/.exec(text);
  if (back) {
    const length = parseLength(back[1]);
    return length === null ? null : now - length;
  }
  const exact = parseTime(text);
  if (exact !== null) return exact;
  if (/^-?\d{9,19}$/.test(text)) return fromNumber(BigInt(text));
  const clock = /^(?:(\d{4}-\d\d-\d\d)[T ]?)?\s*(\d\d?:\d\d)?(:\d\d(?:\.\d{1,9})?)?$/.exec(text);
  if (!clock || !(clock[1] || clock[2]) || (clock[3] && !clock[2])) return null;
  const day = clock[1] ?? clockParts(now, zone).day;
  const there = parseTime(`${day}T${(clock[2] ?? '00:00').padStart(5, '0')}${clock[3] ?? ':00'}Z`);
  return there === null ? null : fromClock(there, zone);
}

function fromNumber(number) {
  const size = number < 0n ? -number : number;
  if (size <= 20_000_000_000n) return number * SECOND;
  if (size <= 20_000_000_000_000n) return number * 1_000_000n;
  return size <= 20_000_000_000_000_000n ? number * 1000n : number;
}

/**
 * `1h`, `all` or `START..END` as {start, end}, end not included; null for what is none. `all` has no bounds.
 */
export function resolveRange(range, now) {
  if (range === 'all') return { start: null, end: null };
  const length = parseLength(range);
  if (length) return { start: now - length, end: now };
  const [first, second, more] = range.split('..');
  if (more !== undefined || second === undefined) return null;
  const [start, end] = [parseTime(first), parseTime(second)];
  return start === null || end === null || end <= start ? null : { start, end };
}

export function rangeText(start, end) {
  return `${isoTime(start)}..${isoTime(end)}`;
}

const STEPS = ['1ms', '2ms', '5ms', '10ms', '20ms', '50ms', '100ms', '200ms', '500ms', '1s', '2s', '5s',
  '10s',
  '15s', '30s', '1m', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '3h', '6h', '12h'];

/** The finest bucket that gives at most `most` bars, as queries write it. */
export function stepFor(start, end, most = 240) {
  const length = end - start;
  for (const step of STEPS) if (length / parseLength(step) < BigInt(most - 1)) return step;
  for (const [step, days] of [['day', 1], ['week', 7], ['month', 28], ['quarter', 90]]) {
    if (length / (BigInt(days) * DAY) < BigInt(most - 1)) return step;
  }
  return 'year';
}

/** Nanoseconds of a bucket; of the calendar's about. */
export function stepLength(step) {
  const days = { day: 1, week: 7, month: 30, quarter: 91, year: 365 }[step];
  return days ? BigInt(days) * DAY : parseLength(step);
}
