// What a text would hide or do, made visible. Pure: no document.
//
// Control, bidirectional, invisible, private and unassigned characters get a name. Of terminal escapes
// only colour and weight count; they are parts of their own, so that all parts together are the text.

const NAMES = new Map(Object.entries({
  '\u00a0': 'NBSP', '\u00ad': 'SHY', '\u034f': 'CGJ', '\u061c': 'ALM', '\u115f': 'HCF', '\u1160': 'HJF',
  '\u180e': 'MVS', '\u200b': 'ZWSP', '\u200c': 'ZWNJ', '\u200d': 'ZWJ', '\u200e': 'LRM', '\u200f': 'RLM',
  '\u2028': 'LSEP', '\u2029': 'PSEP', '\u202a': 'LRE', '\u202b': 'RLE', '\u202c': 'PDF', '\u202d': 'LRO',
  '\u202e': 'RLO', '\u2060': 'WJ', '\u2066': 'LRI', '\u2067': 'RLI', '\u2068': 'FSI', '\u2069': 'PDI',
  '\u2800': 'BLANK', '\u3164': 'HF', '\uffa0': 'HHF', '\ufeff': 'BOM', '\ufffc': 'OBJ',
  '\n': '↵', '\r\n': '↵', '\t': '⇥', '\u007f': 'DEL', '\u0085': 'NEL',
}));
('NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC ' +
  'FS GS RS US').split(' ').forEach((name, code) => {
  const character = String.fromCharCode(code);
  if (!NAMES.has(character)) NAMES.set(character, name);
});

// Controls, formats, surrogates alone, private, unassigned; separators; blanks other than the space; what
// Unicode lets a font leave out; two that look like nothing.
const HIDDEN = '[\\p{C}\\p{Zl}\\p{Zp}\\p{DI}\\u2800\\ufffc]|(?! )\\p{Zs}';
const ANY = new RegExp(HIDDEN, 'u');
const SPECIAL = new RegExp(`\\x1b\\[([0-9;:]{0,64})m|\\r\\n|${HIDDEN}`, 'gu');
const PLAIN = /^[\x20-\x7e]*$/;
const PICTURE_BEFORE = /\p{Extended_Pictographic}[\ufe0f\p{EMod}]*$/u;
const PICTURE_AFTER = /^\p{Extended_Pictographic}/u;

function codeOf(character) {
  return 'U+' + character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
}

/** Whether a text has anything that is shown by name. */
export function hasHidden(text) {
  return !PLAIN.test(text) && ANY.test(text);
}

/** Whether the joiner or variant sign at `index` only makes one picture of several. */
function isOfPicture(text, sign, index) {
  if (sign !== '\ufe0f' && sign !== '\u200d') return false;
  if (!PICTURE_BEFORE.test(text.slice(Math.max(0, index - 6), index))) return false;
  return sign === '\ufe0f' || PICTURE_AFTER.test(text.slice(index + 1, index + 3));
}

/** The state behind `ESC [ numbers m`. What is neither colour nor weight changes nothing. */
function stateAfter(state, numbers) {
  let { colour, bold } = state;
  const list = numbers.split(/[;:]/).map(Number);
  for (let index = 0; index < list.length; index += 1) {
    const number = list[index];
    if (number === 0) [colour, bold] = [0, false];
    else if (number === 1) bold = true;
    else if (number === 22) bold = false;
    else if (number === 39) colour = 0;
    else if (number >= 30 && number <= 37) colour = number - 30;
    else if (number >= 90 && number <= 97) colour = number - 90;
    else if (number === 38 || number === 48) {
      if (number === 38 && list[index + 1] === 5) colour = list[index + 2] < 16 ? list[index + 2] % 8 : 0;
      index += list[index + 1] === 2 ? 4 : 2;
    }
  }
  return { colour, bold };
}

function className({ colour, bold }) {
  return (colour ? 'a' + colour : '') + (colour && bold ? ' ' : '') + (bold ? 'ab' : '');
}

/**
 * The parts of `text` in order: `{text, hit, style}`, `{text, name, label}` for a hidden character,
 * `{text, escape}` for colour and weight. Their `text` one behind the other is the whole text.
 * `hits`: [[start, end], …], ascending, apart, in UTF-16 units.
 */
export function segments(text, hits = []) {
  if (!hits.length && PLAIN.test(text)) return text === '' ? [] : [{ text }];
  const parts = [];
  let state = { colour: 0, bold: false };
  let at = 0;
  let hit = 0;
  const plainTo = (end) => {
    const style = className(state);
    while (at < end) {
      while (hit < hits.length && hits[hit][1] <= at) hit += 1;
      const inside = hit < hits.length && hits[hit][0] <= at;
      const next = hit < hits.length ? hits[hit][inside ? 1 : 0] : end;
      const stop = Math.min(end, next);
      parts.push({ text: text.slice(at, stop), hit: inside, style });
      at = stop;
    }
  };
  for (const found of text.matchAll(SPECIAL)) {
    const source = found[0];
    if (isOfPicture(text, source, found.index)) continue;
    plainTo(found.index);
    at = found.index + source.length;
    if (found[1] !== undefined) {
      state = stateAfter(state, found[1]);
      parts.push({ text: source, escape: true });
    } else {
      const label = source === '\r\n' ? 'U+000D U+000A' : codeOf(source);
      parts.push({ text: source, name: NAMES.get(source) ?? label, label });
    }
  }
  plainTo(text.length);
  return parts;
}

/** `text` as one line of plain text for titles and other places that cannot have marks. */
export function plain(text, most = 200) {
  const named = segments(text.slice(0, most * 2)).map((part) =>
    part.escape ? '' : part.name ? `‹${part.name}›` : part.text).join('');
  return named.length > most || text.length > most * 2 ? named.slice(0, most) + '…' : named;
}

/** A place in scalars, as the server counts, in UTF-16 units, as the browser does. */
export const toUnits = (text, at) => Array.from(text).slice(0, at).join('').length;

/** A filter before, at and behind the character (in scalars) where something is wrong with it. */
export function faultParts(text, character) {
  const at = Math.min(toUnits(text, character), text.length);
  const end = at + (/^(?:[\p{L}\p{N}_.]+|[^])/u.exec(text.slice(at))?.[0].length ?? 0);
  return [text.slice(0, at), text.slice(at, end), text.slice(end)];
}
