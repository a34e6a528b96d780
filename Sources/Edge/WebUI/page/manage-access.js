// Keys of programs, users, and what users may see.

import { call } from './api.js';
import { fill, h, isolated, say } from './dom.js';
import { failureText, labelled, nothing, panel, select, show, snippet, table } from './parts.js';
import { words } from './texts-pages.js';

const W = words.manage;
/** The roles that keys of an API can have. */
const ROLES = { native: ['writer', 'reader', 'user', 'admin'], workflow: ['user', 'admin'],
  ingest: ['writer'] };

/** Shows what `work` gives; loading again leaves what is there until it is done. */
export const reload = (place, work) => show(place, work, { quiet: true });

/** A button that asks once more before it does what cannot be undone. */
export function sureButton(text, label, work) {
  const place = h('span', { class: 'sure' });
  const said = h('span', { class: 'badness', role: 'alert' });
  const calm = () => fill(place, h('button', { type: 'button', 'aria-label': label, onclick: ask }, text),
    said);
  const ask = () => {
    const yes = h('button', {
      type: 'button', class: 'danger', 'aria-label': label,
      onclick: async () => {
        yes.disabled = true;
        try {
          await work();
        } catch (failure) {
          fill(said, failureText(failure));
          calm();
        }
      },
    }, text);
    fill(place, h('span', null, W.sure, ' '), yes, h('button', { type: 'button', onclick: calm }, W.keep));
    yes.focus();
  };
  calm();
  return place;
}

/** A form whose fields are `controls` and which says what went wrong. */
export function makeForm(title, button, controls, work) {
  const said = h('div', { class: 'said', role: 'alert' });
  const submit = h('button', { class: 'main' }, button);
  return h('form', {
    class: 'making', novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      fill(said);
      try {
        fill(said, await work());
      } catch (failure) {
        fill(said, h('span', { class: 'badness' }, failureText(failure)));
      } finally {
        submit.disabled = false;
      }
    },
  }, h('h2', null, title), h('div', { class: 'beside' }, controls, submit), said);
}

const text = (more = {}) => h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false',
  autocapitalize: 'none', ...more });

export function keysPart(ctx, signal) {
  const { element, body } = panel(W.tabs.keys, { wide: true });
  const name = text();
  const tenant = text({ value: (ctx.tenant?.name ?? '').replace(/^native\//, '') || 'default' });
  const role = select([], '');
  const rolesOf = (of) => fill(role, ROLES[of].map((one) => h('option', { value: one }, W.roles[one])));
  const realm = select(Object.keys(ROLES).map((one) => [one, one]), 'native', rolesOf);
  rolesOf('native');
  const load = () => reload(body, async () => {
    const { keys } = await call('GET', 'keys', { signal });
    const live = keys.filter((one) => !one.revoked_at);
    if (!live.length) return nothing(W.keys.none);
    return table(W.tabs.keys, [W.name, W.realm, W.tenant, W.role, W.keys.created, ['']],
      live.map((one) => [isolated(String(one.name)), isolated(String(one.realm)),
        isolated(String(one.tenant)), isolated(String(one.role)),
        say(String(one.created_at ?? '').slice(0, 10)),
        sureButton(W.revoke, W.keys.revokeName(one.name), async () => {
          await call('DELETE', `keys/${encodeURIComponent(one.realm)}/${encodeURIComponent(one.name)}`);
          load();
        })]));
  });
  const form = makeForm(W.keys.make, W.add, [labelled(W.name, name), labelled(W.realm, realm),
    labelled(W.tenant, tenant), labelled(W.role, role)], async () => {
    const body = { name: name.value.trim(), realm: realm.value, tenant: tenant.value.trim(),
      role: role.value };
    const made = await call('POST', 'keys', { body });
    name.value = '';
    load();
    return [h('p', null, h('b', null, W.keys.made)), snippet(String(made.key), W.tabs.keys)];
  });
  load();
  const warning = ctx.me.kind === 'open' ? h('p', { class: 'notice' }, W.keys.ends) : null;
  return [h('p', { class: 'intro' }, W.keys.intro), element, warning, form];
}

export function usersPart(ctx, signal) {
  const { element, body } = panel(W.tabs.users, { wide: true });
  const username = text();
  const password = h('input', { type: 'password', autocomplete: 'new-password' });
  const role = select(Object.entries(W.users.roles), 'user');
  const load = () => reload(body, async () => {
    const { users } = await call('GET', 'users', { signal });
    if (!users.length) return nothing(W.users.none);
    return table(W.tabs.users, [W.name, W.role, W.keys.created], users.map((one) =>
      [isolated(String(one.user_id ?? one.username)), isolated(String(one.role)),
        say(String(one.created_at ?? '').slice(0, 10))]));
  });
  const form = makeForm(W.users.make, W.add, [labelled(W.users.username, username), labelled(W.users.password,
    password, W.users.passwordHint),
    labelled(W.role, role)], async () => {
    await call('POST', 'users', { body: { username: username.value.trim(), password: password.value,
      role: role.value } });
    username.value = '';
    password.value = '';
    load();
    return W.done;
  });
  load();
  return [h('p', { class: 'intro' }, W.users.intro), element, form, h('p', { class: 'soft' },
    W.users.command),
    snippet('cordwood users password ada\ncordwood users remove ada', W.tabs.users)];
}

export function grantsPart(ctx, signal) {
  const { element, body } = panel(W.tabs.grants, { wide: true });
  const user = text();
  const tenant = text({ value: ctx.tenant?.name ?? '', placeholder: 'native/shop', list: 'grant-tenants' });
  const tenants = h('datalist', { id: 'grant-tenants' }, ctx.me.tenants.map((one) =>
    h('option', { value: one.name })));
  const role = select(Object.entries(W.roles), 'reader');
  const grantsNow = async () => (await call('GET', 'grants', { signal })).users;
  const put = (name, grants) => call('PUT', `grants/${encodeURIComponent(name)}`, { body: { grants } });
  const load = () => reload(body, async () => {
    const granted = (await grantsNow()).filter((one) => one.grants.length);
    if (!granted.length) return nothing(W.grants.none);
    return table(W.tabs.grants, [W.grants.user, W.grants.of, W.role, ['']],
      granted.flatMap((one) => one.grants.map((grant) => [isolated(String(one.user)),
        isolated(String(grant.tenant)), isolated(String(grant.role)),
        sureButton(W.remove, W.grants.remove(grant.tenant, one.user), async () => {
          const rest = (await grantsNow()).find((other) => other.user === one.user)?.grants ?? [];
          await put(one.user, rest.filter((other) => other.tenant !== grant.tenant));
          load();
        })])));
  });
  const form = makeForm(W.grants.add, W.grants.add, [labelled(W.grants.user, user), labelled(W.grants.of,
    tenant, W.grants.tenantHint),
    labelled(W.role, role)], async () => {
    const name = user.value.trim();
    const wanted = { tenant: tenant.value.trim(), role: role.value };
    const now = (await grantsNow()).find((one) => one.user === name)?.grants ?? [];
    await put(name, [...now.filter((one) => one.tenant !== wanted.tenant), wanted]);
    user.value = '';
    load();
    return W.done;
  });
  load();
  return [h('p', { class: 'intro' }, W.grants.intro), element, form, tenants];
}
