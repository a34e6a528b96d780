// The conditions beside the filter, each with its own end, and the end of all.

import { fill, h, icon, say } from './dom.js';
import { T } from './texts.js';

function valueText(value) {
  if (typeof value === 'string') return value === '' ? T.logs.emptyText : value;
  return value.json === 'null' ? T.logs.missing : value.json;
}

function words({ not, values, exists, ge, lt }) {
  if (exists) return [not ? T.logs.isMissing : T.logs.isThere];
  if (!values) return [not ? T.logs.notIn : '', ge === null ? '' : `≥ ${ge}`, lt === null ? '' : `< ${lt}`];
  return [not ? '≠' : '=', values.map(valueText).join(', ')];
}

export class Chips {
  /** `onChange(filters)`, `onText(filter)`: to be edited as text. */
  constructor({ onChange }) {
    this.onChange = onChange;
    this.element = h('div', { class: 'chips', role: 'group', 'aria-label': T.logs.chips });
  }

  show(filters) {
    this.element.hidden = !filters.length;
    const without = (filter) => this.onChange(filters.filter((one) => one !== filter));
    const turned = (filter) => this.onChange(filters.map((one) => (one === filter ? { ...one, not: !one.not }
      : one)));
    fill(this.element, filters.map((filter) => {
      const [sign, ...rest] = words(filter);
      return h('span', { class: filter.not ? 'chip not' : 'chip' },
        h('button', { type: 'button', class: 'chip-text', title: T.logs.turn, onclick: () => turned(filter) },
          h('bdi', {}, say(filter.field)), ` ${sign} `, h('bdi', {}, say(rest.filter(Boolean).join(' ')))),
        h('button', { type: 'button', class: 'chip-end', 'aria-label': `${T.logs.remove} ${filter.field}`,
          onclick: () => without(filter) }, icon('close')));
    }), filters.length > 1 ? h('button', { type: 'button', class: 'link', onclick: () => this.onChange([]) },
      T.logs.clear) : null);
  }
}
