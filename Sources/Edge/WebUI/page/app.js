// Starts the page: who asks, which tenant, which page, the keyboard.
//
// A page is a module with
//
//   export function page(ctx) -> { element, update(address), leave(), keys?, title? }
//
// `element` is put into the document, then `update(address)` is called (address.js says what an address has),
// and again whenever the address changes within the page. `leave()` ends what runs: calls, timers, streams.
// `keys` is a map for keys.js; `title(address)` a text for the window.
//
//   ctx.me                 answer of /ui/v1/me        ctx.tenant       the chosen entry of me.tenants
//   ctx.go(address, {replace})  changes the address (an object or a text), an entry in the history each time
//   ctx.href(changes)      the text of the address with `changes`, for links
//   ctx.address()          the address                ctx.zone()       zone of all times, a name
//   ctx.setZone(name)      ctx.fail(failure)          text for a Failure of api.js
//
// Calls are made with api.js: `call('POST', 'query', { body, signal })`.

import { addressText, DEFAULTS, parseAddress } from './address.js';
import { call, onSignedOut, useTenant } from './api.js';
import { announce, fill, h } from './dom.js';
import { listen, useKeys } from './keys.js';
import { dialog } from './overlay.js';
import { applyTheme, nextTheme, remember, remembered } from './settings.js';
import { shell } from './shell.js';
import { T } from './texts.js';
import { isZone, localZone } from './time.js';

const modules = {
  overview: () => import('./overview.js'),
  logs: () => import('./logs.js'),
  trace: () => import('./trace.js'),
  charts: () => import('./charts.js'),
  verify: () => import('./verify.js'),
  send: () => import('./send.js'),
  manage: () => import('./manage.js'),
  signin: () => import('./signin.js'),
};

/** The other pages' styles: the Logs page does without them. */
let styled = null;
function styles(page) {
  if (page === 'logs') return null;
  styled ??= new Promise((resolve) => {
    const href = new URL('./pages.css', import.meta.url).href;
    document.head.append(h('link', { rel: 'stylesheet', href, onload: resolve, onerror: resolve }));
  });
  return styled;
}

const root = document.getElementById('app');
const frame = shell({ onTenant: chooseTenant, onTheme: changeTheme, onHelp: showKeys, onSignOut: signOut });
let current = { name: null, view: null };
let turn = 0;
let signingIn = null;

const ctx = {
  me: null,
  tenant: null,
  go,
  href: (changes) => addressText({ ...ctx.address(), at: null, ...changes }),
  address: () => parseAddress(location.href),
  zone: () => {
    const zone = remembered('zone', 'local');
    return zone !== 'local' && isZone(zone) ? zone : localZone();
  },
  setZone: (zone) => {
    remember('zone', zone);
    show();
  },
  fail: failureText,
  signedIn: (me) => signedIn(me),
};

function failureText(failure) {
  const known = T.failure[failure.kind];
  const words = typeof known === 'function' ? known(failure.retryAfter) : known;
  const said = failure.detail || failure.title;
  return [failure.kind === 'invalid' ? '' : words ?? T.failure.failed, said].filter(Boolean).join(' ');
}

function go(target, { replace = false } = {}) {
  const text = typeof target === 'string' ? target : addressText(target);
  if (text === location.pathname + location.search) {
    if (!replace) show();
    return;
  }
  history[replace ? 'replaceState' : 'pushState'](null, '', text);
  show();
}

/** Shows what the address says. */
async function show() {
  const mine = (turn += 1);
  const address = parseAddress(location.href);
  if (!address) return showInstead(T.notFound, h('a', { href: '/ui/logs' }, T.toLogs));
  if (address.page === 'signin' && ctx.me && ctx.me.kind !== 'open' && !signingIn) return go('/ui/',
    { replace: true });
  if (ctx.me) applyTenant(address.tenant);
  frame.update(ctx, address);
  if (current.name !== address.page) {
    let module;
    try {
      [module] = await Promise.all([modules[address.page](), styles(address.page)]);
    } catch {
      if (mine !== turn) return;
      showInstead(T.brokenPage, h('button', { type: 'button', onclick: () => location.reload() }, T.reload));
      return;
    }
    if (mine !== turn) return;
    leave();
    const view = module.page(ctx);
    current = { name: address.page, view };
    useKeys(view.keys);
    fill(frame.main, view.element);
  }
  document.title = `${current.view.title?.(address) ?? T.pages[address.page]} · ${T.name}`;
  current.view.update(address);
}

function leave() {
  current.view?.leave();
  current = { name: null, view: null };
  useKeys(null);
}

function showInstead(text, action) {
  leave();
  fill(frame.main, h('div', { class: 'state' }, h('p', {}, text), action));
}

function applyTenant(name) {
  const tenants = ctx.me.tenants;
  const wanted = name ?? remembered('tenant', null);
  ctx.tenant = tenants.find((tenant) => tenant.name === wanted) ?? (name ? null : tenants[0]) ?? null;
  if (!ctx.tenant && name) ctx.tenant = { name, role: 'none', datasets: [] };
  useTenant(ctx.tenant?.name ?? null);
}

function chooseTenant(name) {
  remember('tenant', name);
  const datasets = ctx.me.tenants.find((tenant) => tenant.name === name)?.datasets ?? [];
  const address = ctx.address();
  const dataset = datasets.includes(address.dataset) ? address.dataset : datasets[0] ?? DEFAULTS.dataset;
  leave();
  go({ ...address, tenant: name, dataset, filters: [], q: '', columns: null, at: null });
}

function changeTheme() {
  const theme = nextTheme();
  announce(T.theme[theme]);
  frame.update(ctx, ctx.address());
  current.view?.restyle?.();
}

function showKeys() {
  return dialog(T.help, () => h('div', { class: 'keys' }, T.keys.map(([name, list]) =>
    h('section', {}, h('h3', {}, name), h('dl', {}, list.map(([keys, what]) =>
      [h('dt', {}, keys.split(' ').map((key) => [h('kbd', {}, key), ' '])), h('dd', {}, what)]))))));
}

async function signOut() {
  await call('POST', 'logout', { again: false }).catch(() => null);
  location.assign('/ui/signin');
}

/** Shows the sign-in over what is there; resolves when somebody has signed in. */
function askToSignIn() {
  signingIn ??= new Promise((resolve) => {
    const back = parseAddress(location.href);
    leave();
    turn += 1;
    Promise.all([modules.signin(), styles('signin')]).then(([module]) => {
      const view = module.page(ctx);
      current = { name: 'signin', view };
      frame.update(ctx, { page: 'signin' });
      fill(frame.main, view.element);
      document.title = `${T.pages.signin} · ${T.name}`;
      view.update({ ...(back ?? {}), page: 'signin' });
      ctx.resume = resolve;
    });
  });
  return signingIn;
}

function signedIn(me) {
  signingIn = null;
  leave();
  ctx.me = me;
  ctx.resume?.();
  ctx.resume = null;
  const address = ctx.address();
  if (!address || address.page === 'signin') go('/ui/');
  else show();
}

/** Another tab may have signed in as somebody else: the cookie is one for all. */
async function checkUser() {
  if (document.visibilityState !== 'visible' || !ctx.me || ctx.me.kind === 'open' || signingIn) return;
  const me = await call('GET', 'me', { again: false }).catch(() => null);
  if (me && (me.name !== ctx.me.name || me.kind !== ctx.me.kind)) frame.warn(T.otherUser(me.name), () =>
    location.reload());
}

function followLinks(event) {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
    || event.defaultPrevented) return;
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!parseAddress(link.href)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

async function start() {
  applyTheme();
  fill(root, frame.element);
  addEventListener('popstate', show);
  addEventListener('click', followLinks);
  document.addEventListener('visibilitychange', checkUser);
  const page = (name) => () => go({ page: name, tenant: ctx.address()?.tenant ?? null });
  listen({ '?': showKeys, t: changeTheme, 'g o': page('overview'), 'g l': page('logs'),
    'g c': page('charts') });
  onSignedOut(askToSignIn);
  const address = parseAddress(location.href);
  if (address) modules[address.page]().catch(() => null);
  for (let wait = 1000; !ctx.me; wait = Math.min(wait * 2, 15_000)) {
    try {
      ctx.me = await call('GET', 'me');
    } catch (failure) {
      if (failure.kind === 'refused' && failure.status === 401) continue;
      showInstead(failureText(failure), null);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  show();
}

start();
