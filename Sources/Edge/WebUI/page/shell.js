// The frame around each page: name, pages, tenant, help, theme, account.

import { addressText } from './address.js';
import { fill, h, icon, say } from './dom.js';
import { menu } from './overlay.js';
import { plain } from './safe.js';
import { remembered } from './settings.js';
import { T } from './texts.js';

const LINKS = ['overview', 'logs', 'trace', 'charts', 'verify', 'send', 'manage'];

export function shell({ onTenant, onTheme, onHelp, onSignOut }) {
  const nav = h('nav', { 'aria-label': T.menu });
  const tenant = h('button', { type: 'button', class: 'quiet tenant', 'aria-haspopup': 'menu' });
  const account = h('button', { type: 'button', class: 'quiet', 'aria-haspopup': 'menu' });
  const theme = h('button', { type: 'button', class: 'quiet square', onclick: onTheme }, icon('theme'));
  const warning = h('div', { class: 'warning', role: 'alert', hidden: true });
  const main = h('main', { id: 'main', tabIndex: -1 });
  const top = h('header', { class: 'top' },
    h('a', { class: 'skip', href: '#main', onclick: (event) => { event.preventDefault(); main.focus(); } },
      T.skip),
    h('a', { class: 'brand', href: '/ui/', 'aria-label': T.name }, icon('log'), h('span', {}, T.name)),
    nav, h('span', { class: 'gap' }), tenant,
    h('button', { type: 'button', class: 'quiet square', 'aria-label': T.help, title: T.help + ' (?)',
      onclick: onHelp },
      icon('help')),
    theme, account);

  function update(ctx, address) {
    const { me } = ctx;
    nav.hidden = !me;
    tenant.hidden = !me || !me.tenants.length;
    account.hidden = !me;
    const name = remembered('theme', null);
    theme.setAttribute('aria-label', T.theme[name]);
    theme.title = T.theme[name] + ' (t)';
    if (!me) return;
    fill(nav, LINKS.filter((page) => page !== 'manage' || me.administrator).map((page) => h('a', {
      href: addressText({ page, tenant: address?.tenant ?? null, filters: [], more: new Map() }),
      'aria-current': address?.page === page ? 'page' : null,
    }, T.pages[page])));
    fill(tenant, say(ctx.tenant?.name ?? '—'), me.tenants.length > 1 ? icon('down') : null);
    tenant.disabled = me.tenants.length < 2;
    tenant.title = T.tenant;
    tenant.onclick = () => menu(tenant, me.tenants.map((one) => ({
      label: say(one.name), hint: one.role, checked: one.name === ctx.tenant?.name, run: () =>
        onTenant(one.name),
    })), { label: T.tenant });
    fill(account, icon('user'), me.name ? say(me.name) : null);
    account.setAttribute('aria-label', me.kind === 'open' ? T.openServer
      : T.signedInAs(plain(me.name ?? '')));
    account.title = account.getAttribute('aria-label');
    account.onclick = () => menu(account, [
      { heading: `${T.name} ${me.version}` },
      { heading: account.title },
      ...(me.kind === 'open' ? [] : ['-', { label: T.signOut, run: onSignOut }]),
    ], { label: T.account });
  }

  function warn(text, onReload) {
    fill(warning, text, ' ', h('button', { type: 'button', onclick: onReload }, T.reload));
    warning.hidden = false;
  }

  return { element: h('div', { class: 'shell' }, top, warning, main), main, update, warn };
}
