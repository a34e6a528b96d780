// What this browser remembers: theme, zone, columns, filters asked before. Works without storage.

const kept = new Map();

/** The value kept under `name`, or `otherwise`. */
export function remembered(name, otherwise) {
  if (kept.has(name)) return kept.get(name);
  try {
    const text = localStorage.getItem('cordwood.' + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  kept.set(name, value);
  try {
    localStorage.setItem('cordwood.' + name, JSON.stringify(value));
  } catch {
    // Storage is off or full: the value lasts as long as this page.
  }
}

/** `light`, `dark`, or what the system says (null). */
export function applyTheme(theme = remembered('theme', null)) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

export function nextTheme() {
  const order = [null, 'light', 'dark'];
  const theme = order[(order.indexOf(remembered('theme', null)) + 1) % order.length];
  remember('theme', theme);
  applyTheme(theme);
  return theme;
}
