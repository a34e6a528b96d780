// Every text that people see on the shell and the Logs page. The other pages' are in texts-pages.js.

const grouped = new Intl.NumberFormat('en-US');

/** 9807 as `9,807`; numbers kept as text stay whole. */
export function count(number) {
  if (typeof number === 'number') return grouped.format(number);
  const text = String(number);
  return /^\d+$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, ',') : text;
}

/** 9807 as `9.8k`, for narrow places; the title has the whole number. */
export function shortCount(number) {
  const size = Number(number);
  if (size < 10_000) return count(size);
  for (const [unit, sign] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (size >= unit) return (size / unit < 100 ? (Math.floor(size / unit * 10) / 10) : Math.floor(size / unit)) + sign;
  }
  return count(size);
}

export const many = (number, one, more) => `${count(number)} ${Number(number) === 1 ? one : more}`;

export function bytes(number) {
  let size = Number(number);
  for (const unit of ['B', 'KB', 'MB', 'GB', 'TB']) {
    if (size < 1000 || unit === 'TB') return `${size < 10 && unit !== 'B' ? size.toFixed(1) : Math.round(size)} ${unit}`;
    size /= 1000;
  }
  return '';
}

export const T = {
  name: 'Cordwood',
  pages: {
    overview: 'Overview', logs: 'Logs', trace: 'Trace', charts: 'Charts', verify: 'Verify', send: 'Send',
    manage: 'Manage', signin: 'Sign in',
  },
  skip: 'Skip to the page',
  menu: 'Pages',
  tenant: 'Tenant',
  account: 'Account',
  signOut: 'Sign out',
  signedInAs: (name) => `Signed in as ${name}`,
  openServer: 'Open: no sign-in needed',
  otherUser: (name) => `This browser is now signed in as ${name}. What is below was read before.`,
  reload: 'Reload',
  theme: { null: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' },
  help: 'Keyboard',
  close: 'Close',
  back: 'Back',
  loading: 'Loading…',
  notFound: 'There is no such page.',
  toLogs: 'Go to the logs',
  brokenPage: 'This page could not be loaded. The server may have been updated.',
  retry: 'Try again',
  failure: {
    away: 'The server does not answer. Trying again…',
    stopped: 'Stopped.',
    cut: 'The answer ended before it was whole. Nothing below is wrong, but some may be missing.',
    foreign: 'What answered is not Cordwood: a proxy, perhaps, or another program on this port.',
    refused: 'You may not see this.',
    busy: (seconds) => (seconds ? `The server is busy. Again in ${seconds} s.` : 'The server is busy.'),
    failed: 'The server failed.',
    request: (id) => `Request ${id}`,
  },
  keys: [
    ['Anywhere', [['?', 'this list'], ['t', 'theme'], ['g o', 'Overview'], ['g l', 'Logs'], ['g c', 'Charts'],
      ['Esc', 'close, back']]],
    ['Logs', [['/', 'filter'], ['Enter', 'run; open the row'], ['j k ↓ ↑', 'next, previous row'],
      ['PgDn PgUp', 'a screen'], ['Home End', 'first, last row'], ['e E', 'next, previous error'],
      ['n N', 'next, previous match of find'], ['Ctrl F', 'find'], ['x', 'filter by the row’s level'], ['a', 'around the row'],
      ['c', 'copy the row or the selected rows'], ['Shift ↓ ↑', 'select rows'], ['w', 'wrap'], ['l', 'live'],
      ['[ ]', 'earlier, later'], ['- +', 'zoom out, in']]],
  ],
};
