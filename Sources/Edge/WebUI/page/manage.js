// Who may do what, what is kept how long, what could not be forwarded, what is masked. What the server has no
// route for is said with the command that does it.

import { fill, h } from './dom.js';
import { grantsPart, keysPart, usersPart } from './manage-access.js';
import { lettersPart, maskingPart, retentionPart } from './manage-data.js';
import { nothing } from './parts.js';
import { words } from './texts-pages.js';

const PARTS = { keys: keysPart, users: usersPart, grants: grantsPart, retention: retentionPart,
  letters: lettersPart, masking: maskingPart };

export function page(ctx) {
  const nav = h('nav', { class: 'parts', 'aria-label': words.manage.parts });
  const body = h('div', { class: 'part' });
  const element = h('div', { class: 'page' }, h('header', { class: 'page-head' },
    h('h1', null, words.manage.title), nav), body);
  let stop = new AbortController();

  return {
    element,
    title: (address) => words.manage.tabs[address.more.get('part')] ?? words.manage.title,
    update(address) {
      stop.abort();
      stop = new AbortController();
      nav.hidden = !ctx.me.administrator;
      if (!ctx.me.administrator) {
        fill(body, nothing(words.manage.only));
        return;
      }
      const asked = address.more.get('part');
      const part = Object.hasOwn(PARTS, asked ?? '') ? asked : 'keys';
      fill(nav, Object.keys(PARTS).map((name) => h('a', {
        href: ctx.href({ more: new Map([['part', name]]) }), 'aria-current': name === part ? 'page' : null,
      }, words.manage.tabs[name])));
      fill(body, PARTS[part](ctx, stop.signal));
    },
    leave: () => stop.abort(),
  };
}
