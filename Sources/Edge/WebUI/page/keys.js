// The keyboard. A page gives a map from a key's name (`j`, `E`, `g o`, `ctrl f`, `PageDown`) to what it does;
// a function that answers false leaves the key to the browser. Keys do nothing while somebody writes.

import { closePopup } from './overlay.js';

let own = {};
let prefix = null;
let prefixTimer = 0;

export function useKeys(map) {
  own = map ?? {};
}

function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable ||
    target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select'));
}

function nameOf(event) {
  const key = event.key === ' ' ? 'Space' : event.key;
  if (event.ctrlKey || event.metaKey) return 'ctrl ' + key.toLowerCase();
  return event.shiftKey && key.length > 1 ? 'shift ' + key : key;
}

/** Listens for the whole page; `common` are the keys that each page has. */
export function listen(common) {
  addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented || event.altKey) return;
    if (event.key === 'Escape' && closePopup()) {
      event.preventDefault();
      return;
    }
    if (document.querySelector('dialog[open]')) return;
    const name = nameOf(event);
    if (isWriting(event.target) && !name.startsWith('ctrl ')) return;
    const whole = prefix ? `${prefix} ${name}` : name;
    prefix = null;
    clearTimeout(prefixTimer);
    const action = own[whole] ?? common[whole];
    if (action) {
      const onButton = event.target instanceof HTMLElement
        && event.target.closest('button, a, summary, [role=option]');
      if (onButton && (name === 'Enter' || name === 'Space')) return;
      if (action(event) !== false) event.preventDefault();
    } else if (name === 'g' && !event.ctrlKey) {
      prefix = 'g';
      prefixTimer = setTimeout(() => {
        prefix = null;
      }, 1500);
    }
  });
}
