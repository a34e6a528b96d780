// Signing in, by a provider, by a name and a password or by a key. Over what was there if the sign-in has
// ended: then what was asked is asked again.

import { call } from './api.js';
import { fill, h } from './dom.js';
import { choice, failureText, labelled } from './parts.js';
import { words } from './texts-pages.js';

export function page(ctx) {
  const name = h('input', { type: 'text', name: 'name', autocomplete: 'username', autocapitalize: 'none',
    spellcheck: 'false' });
  const password = h('input', { type: 'password', name: 'password', autocomplete: 'current-password' });
  const key = h('input', { type: 'password', name: 'key', autocomplete: 'off', spellcheck: 'false' });
  const byName = h('div', { class: 'fields' }, labelled(words.signin.name, name),
    labelled(words.signin.password, password));
  const byKey = h('div', { class: 'fields', hidden: true }, labelled(words.signin.key, key));
  const provider = h('div', { class: 'provider', hidden: true });
  const expired = h('p', { class: 'notice', role: 'status', hidden: true }, words.signin.expired);
  const said = h('p', { class: 'said', role: 'alert' });
  const submit = h('button', { class: 'main' }, words.signin.submit);
  const form = h('form', { class: 'signin', onsubmit: send, novalidate: true },
    h('h1', null, words.signin.title), expired, provider,
    choice(words.signin.title, [['name', words.signin.withName], ['key', words.signin.withKey]], 'name',
      (kind) => {
      byName.hidden = kind === 'key';
      byKey.hidden = kind === 'name';
      fill(said);
      (kind === 'key' ? key : name).focus();
    }), byName, byKey, said, submit, h('p', { class: 'soft' }, words.signin.noUser));
  let timer = 0;

  /** The provider is a page of its own, which sends back to where one was. */
  async function offerProvider() {
    const { provider: title } = await call('GET', 'signin', { again: false });
    if (!title) return;
    const here = location.pathname === '/ui/signin' ? '/ui/' : location.pathname + location.search;
    const go = () => location.assign(`/ui/v1/oidc/start?to=${encodeURIComponent(here)}`);
    const button = h('button', { type: 'button', class: 'main', onclick: go },
      words.signin.withProvider(title));
    fill(provider, button, h('p', { class: 'soft' }, words.signin.or));
    provider.hidden = false;
  }

  async function send(event) {
    event.preventDefault();
    if (submit.disabled) return;
    const withKey = !byKey.hidden;
    const lacking = withKey ? !key.value && key : !name.value ? name : !password.value && password;
    if (lacking) {
      fill(said, withKey ? words.signin.neededKey : words.signin.needed);
      lacking.focus();
      return;
    }
    submit.disabled = true;
    fill(said);
    try {
      const body = withKey ? { key: key.value.trim() } : { name: name.value, password: password.value };
      const me = await call('POST', 'login', { body, again: false });
      password.value = '';
      key.value = '';
      ctx.signedIn(me);
    } catch (failure) {
      submit.disabled = false;
      refuse(failure, withKey);
    }
  }

  function refuse(failure, withKey) {
    if (failure.status === 429) return wait(failure.retryAfter ?? 60);
    const isWrong = failure.status === 401 || failure.status === 403;
    fill(said, isWrong ? (withKey ? words.signin.wrongKey : words.signin.wrongName) : failureText(failure));
    const again = withKey ? key : password;
    again.select();
    again.focus();
  }

  /** Counts the seconds down; the text is said at the start and the end only. */
  function wait(seconds) {
    submit.disabled = true;
    const left = h('span', { 'aria-hidden': 'true' });
    const end = performance.now() + seconds * 1000;
    fill(said, h('span', { class: 'unseen' }, words.signin.throttled(seconds)), left);
    const tell = () => {
      const rest = Math.ceil((end - performance.now()) / 1000);
      if (rest > 0) {
        left.textContent = words.signin.throttled(rest);
        return;
      }
      clearInterval(timer);
      submit.disabled = false;
      fill(said, words.signin.again);
    };
    clearInterval(timer);
    timer = setInterval(tell, 250);
    tell();
  }

  return {
    element: h('div', { class: 'page narrow' }, form),
    update() {
      expired.hidden = !ctx.me;
      const failed = new URLSearchParams(location.search).get('failed');
      // Anybody may have written the address.
      if (failed && Object.hasOwn(words.signin.failed, failed)) fill(said, words.signin.failed[failed]);
      name.focus();
      // Without an answer there are the other ways.
      offerProvider().catch(() => null);
    },
    leave: () => clearInterval(timer),
  };
}
