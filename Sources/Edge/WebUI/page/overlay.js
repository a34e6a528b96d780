// What lies over the page: menus, dialogs, short notes. One menu at a time; Escape and a click outside close.

import { announce, append, h, icon, say } from './dom.js';
import { plain } from './safe.js';
import { T } from './texts.js';

let open = null;

function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const width = box.offsetWidth;
  const left = Math.min(at.left, innerWidth - width - 8);
  box.style.left = Math.max(8, left) + 'px';
  const below = innerHeight - at.bottom - 8;
  if (below < Math.min(box.scrollHeight, 240) && at.top > below) {
    box.style.bottom = innerHeight - at.top + 4 + 'px';
    box.style.maxHeight = at.top - 12 + 'px';
  } else {
    box.style.top = at.bottom + 4 + 'px';
    box.style.maxHeight = below + 'px';
  }
}

export function closePopup(focus = true) {
  if (!open) return false;
  const { box, anchor, onClose } = open;
  open = null;
  box.remove();
  anchor.setAttribute('aria-expanded', 'false');
  onClose?.();
  if (focus) anchor.focus();
  return true;
}

/** A box below `anchor` with any content; a second call for the same anchor closes it. */
export function popup(anchor, content, { role = 'dialog', label = null, onClose } = {}) {
  const same = open?.anchor === anchor;
  closePopup(false);
  if (same) return null;
  const box = h('div', { class: 'popup', role, 'aria-label': label }, content);
  (document.querySelector('main') ?? document.body).append(box);
  anchor.setAttribute('aria-expanded', 'true');
  open = { box, anchor, onClose };
  place(box, anchor);
  (box.querySelector('[data-first]') ?? box.querySelector('button, input, select, [tabindex]'))?.focus();
  return box;
}

/**
 * A menu below `anchor`. Items: {label, run, checked?, hint?, disabled?}, {heading}, '-'. `checked` makes
 * it a choice; labels are texts or nodes.
 */
export function menu(anchor, items, { label = null } = {}) {
  const nodes = items.map((item) => {
    if (item === '-') return h('hr', {});
    if (item.heading) return h('div', { class: 'menu-heading', role: 'presentation' }, item.heading);
    const choice = item.checked !== undefined;
    return h('button', {
      type: 'button', role: choice ? 'menuitemradio' : 'menuitem', tabIndex: -1,
        disabled: Boolean(item.disabled),
      'aria-checked': choice ? String(Boolean(item.checked)) : null,
      'data-first': item.checked ? true : null,
      onclick: () => {
        closePopup();
        item.run();
      },
    }, h('span', { class: 'menu-label' }, item.label), item.hint ? h('span', { class: 'hint' }, item.hint)
      : null);
  });
  const box = popup(anchor, nodes, { role: 'menu', label });
  box?.addEventListener('keydown', (event) => {
    const buttons = [...box.querySelectorAll('button:not(:disabled)')];
    const at = buttons.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      buttons.at(next % buttons.length)?.focus();
    } else if (event.key === 'Tab') {
      closePopup();
    } else if (/^\p{L}$/u.test(event.key)) {
      const rest = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
      rest.find((one) => one.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    }
    if (event.key !== 'Escape') event.stopPropagation();
  });
}

document.addEventListener('pointerdown', (event) => {
  if (open && !open.box.contains(event.target) && !open.anchor.contains(event.target)) closePopup(false);
}, true);
addEventListener('resize', () => closePopup(false));

/** A dialog over the page; resolves with what `close(value)` gives, null for Escape. */
export function dialog(title, build) {
  closePopup(false);
  return new Promise((resolve) => {
    let answer = null;
    const box = h('dialog', { class: 'dialog', 'aria-label': title });
    const close = (value = null) => {
      answer = value;
      box.close();
    };
    append(box, [
      h('header', {}, h('h2', {}, title), h('button', {
        type: 'button', class: 'quiet square', 'aria-label': T.close, onclick: () => close(),
      }, icon('close'))),
      build(close),
    ]);
    box.addEventListener('close', () => {
      box.remove();
      resolve(answer);
    });
    box.addEventListener('pointerdown', (event) => {
      if (event.target === box) close();
    });
    document.body.append(box);
    box.showModal();
    box.querySelector('input, select, textarea')?.focus();
  });
}

let noteTimer = 0;

/** A short note at the bottom, also told to screen readers. */
export function note(text) {
  document.querySelector('.note')?.remove();
  const box = h('div', { class: 'note', 'aria-hidden': 'true' }, say(text));
  document.body.append(box);
  announce(plain(text));
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => box.remove(), 4000);
}
