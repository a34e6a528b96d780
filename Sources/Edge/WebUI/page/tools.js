// The tools of the Logs page: wrap, columns, order, views, download, command, link, find, chosen rows.

import { addressText, parseAddress } from './address.js';
import { call, Failure, serverNow } from './api.js';
import { copyText, fill, h, icon, later, say } from './dom.js';
import { dialog, menu, note } from './overlay.js';
import { datasetOf, rowsQuery, whereText } from './query.js';
import { remember, remembered } from './settings.js';
import { T } from './texts.js';
import { isoTime, resolveRange } from './time.js';

const FORMATS = ['ndjson', 'csv', 'json', 'parquet', 'arrow'];

const quiet = (label, run, more = {}) => h('button', { type: 'button', class: 'quiet small', onclick: run,
  ...more }, label);

export class Tools {
  constructor(page) {
    this.page = page;
    this.findText = '';
    const has = { 'aria-haspopup': 'menu' };
    this.wrapButton = quiet(T.logs.wrap, () => this.toggleWrap(), { title: 'w', 'aria-pressed': 'false' });
    this.element = h('div', { class: 'toolbar' }, this.wrapButton,
      quiet([T.logs.columns, icon('down')], (event) => this.#columns(event.currentTarget), has),
      quiet([T.logs.views, icon('down')], (event) => this.#views(event.currentTarget), has),
      quiet([T.logs.download, icon('down')], (event) => this.#download(event.currentTarget), has),
      quiet(T.logs.command, () => this.#command()),
      quiet(icon('link'), () => this.#copyLink(), { title: T.logs.copyLink, 'aria-label': T.logs.copyLink }));
    this.findInput = h('input', {
      type: 'search', placeholder: T.logs.find, 'aria-label': T.logs.find,
      oninput: later(150, () => this.#found()), onkeydown: (event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          this.#found();
          page.moves.find(event.shiftKey);
        } else if (event.key === 'Escape') {
          event.preventDefault();
          this.closeFind();
        }
      },
    });
    this.findBar = h('div', { class: 'find', hidden: true, role: 'search' }, this.findInput,
      quiet(icon('down'), () => page.moves.find(), { title: T.logs.findNext, 'aria-label': T.logs.findNext }),
      quiet(icon('back'), () => page.moves.find(true), { title: T.logs.findPrevious,
        'aria-label': T.logs.findPrevious }),
      quiet(icon('close'), () => this.closeFind(), { title: T.close, 'aria-label': T.close }));
    this.chosen = h('div', { class: 'chosen', hidden: true });
  }

  draw() {
    this.#setWrap(remembered('wrap', false));
  }

  toggleWrap() {
    remember('wrap', !remembered('wrap', false));
    this.#setWrap(remembered('wrap', false));
  }

  #setWrap(wrap) {
    this.wrapButton.setAttribute('aria-pressed', String(wrap));
    if (this.page.list.wrap !== wrap) this.page.list.setWrap(wrap);
  }

  #columns(anchor) {
    const { page } = this;
    const { columns } = page;
    const { order, dataset } = page.address;
    const usual = datasetOf(dataset).columns;
    const names = [...new Set([...columns, ...usual, ...page.fields.shown,
      ...page.fields.names.map(({ name }) => name)])]
      .filter((name) => name !== 'timestamp').slice(0, 100);
    const turn = (wanted) => () => page.go({ order: wanted, more: new Map() });
    menu(anchor, [
      { label: T.logs.newestFirst, checked: order === 'desc', run: turn('desc') },
      { label: T.logs.oldestFirst, checked: order === 'asc', run: turn('asc') }, '-',
      ...names.map((name) => ({
        label: h('bdi', { class: 'mono' }, say(name)), checked: columns.includes(name), run: () =>
          page.toggleColumn(name),
      })),
    ], { label: T.logs.columns });
  }

  async #guarded(work) {
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      note(this.page.ctx.fail(failure));
    }
  }

  #views(anchor) {
    return this.#guarded(async () => {
      const { views } = await call('GET', 'views');
      const own = views.filter((one) => one.kind === 'view' && typeof one.value?.address === 'string');
      menu(anchor, [
        ...own.map(({ name, value }) => ({ label: say(name), run: () => this.#openView(value.address) })),
        ...(own.length ? ['-'] : [{ heading: T.logs.noViews }]),
        { label: T.logs.saveView, run: () => this.#saveView() },
        ...(own.length ? [{ label: T.logs.removeView, run: () => this.#removeView(anchor, own) }] : []),
      ], { label: T.logs.views });
    });
  }

  #openView(text) {
    const address = parseAddress(text);
    if (address) this.page.ctx.go({ ...address, tenant: this.page.address.tenant });
  }

  async #saveView() {
    const name = await dialog(T.logs.saveView, (close) => {
      const input = h('input', { required: true, maxlength: '200', 'aria-label': T.logs.viewName,
        placeholder: T.logs.viewName });
      return h('form', { class: 'inline', onsubmit: (event) => {
        event.preventDefault();
        close(input.value.trim() || null);
      } }, input, h('button', { class: 'main' }, T.logs.save));
    });
    if (!name) return;
    const address = addressText({ ...this.page.address, tenant: null, at: null, more: new Map() });
    await this.#guarded(async () => {
      await call('PUT', `views/${encodeURIComponent(name)}`, { body: { kind: 'view', value: { address } } });
      note(T.logs.viewSaved);
    });
  }

  #removeView(anchor, own) {
    menu(anchor, own.map(({ name }) => ({
      label: say(name), run: () => this.#guarded(() => call('DELETE', `views/${encodeURIComponent(name)}`)),
    })), { label: T.logs.removeView });
  }

  /** The query for all that matches. */
  #query() {
    const { address } = this.page;
    const bounds = this.page.run?.bounds ?? resolveRange(address.range, serverNow()) ?? { start: null,
      end: null };
    const where = whereText(address.q, address.filters);
    const { limit, ...query } = rowsQuery({ ...address, ...bounds, where, limit: 0, columns: null });
    return { ...query, limit: 1_000_000_000 };
  }

  #download(anchor) {
    menu(anchor, FORMATS.map((format) => ({
      label: T.logs.downloadAs(T.logs.formats[format]), run: () => this.#guarded(async () => {
        const { path } = await call('POST', 'downloads', { body: { ...this.#query(), format } });
        if (!/^\/ui\/v1\/downloads\//.test(path)) return;
        const link = h('a', { href: path, download: true });
        document.body.append(link);
        link.click();
        link.remove();
      }),
    })), { label: T.logs.download });
  }

  #command() {
    const { limit, ...query } = this.#query();
    const shell = (text) => `'${text.replace(/'/g, `'\\''`)}'`;
    const { dataset, where, start, end, order } = query;
    const parts = ['cordwood query', `--dataset ${shell(dataset)}`, start ? `--since ${start}` : '', end
      ? `--until ${end}` : '',
      where ? `--where ${shell(where)}` : '', order === 'asc' ? '--order asc' : '', '--limit 1000'];
    const body = JSON.stringify({ ...query, limit: 1000 });
    const texts = [parts.filter(Boolean).join(' '),
      `curl -s ${location.origin}/v1/query -H 'Authorization: Bearer KEY' --data-binary ${shell(body)}`];
    return dialog(T.logs.commandTitle, () => h('div', { class: 'commands' }, texts.map((text) => h('div', {},
      h('pre', {}, say(text, { lines: true })), h('button', { type: 'button', onclick: async () => {
        note((await copyText(text)) ? T.logs.commandCopied : T.logs.notCopied);
      } }, icon('copy'), T.logs.copyCommand)))));
  }

  /** The address with its time fixed, so that others see the same. */
  async #copyLink() {
    const { address, run, ctx } = this.page;
    const { start, end } = run?.bounds ?? {};
    const range = start && end ? `${isoTime(start)}..${isoTime(end)}` : address.range;
    const text = location.origin + addressText({ ...address, range, tenant: ctx.tenant?.name ?? null,
      more: new Map() });
    note((await copyText(text)) ? T.logs.linkCopied : T.logs.notCopied);
  }

  openFind() {
    this.findBar.hidden = false;
    this.findInput.focus();
    this.findInput.select();
  }

  /** Whether it was open. */
  closeFind() {
    if (this.findBar.hidden) return false;
    this.findBar.hidden = true;
    this.findInput.value = '';
    this.#found();
    this.page.list.element.focus();
    return true;
  }

  #found() {
    if (this.findText === this.findInput.value) return;
    this.findText = this.findInput.value;
    this.page.relook();
  }

  drawChosen() {
    const { list } = this.page;
    const range = list.chosen ? list.range : null;
    this.chosen.hidden = !range;
    this.page.following?.moved();
    if (!range) return;
    const copy = (json) => async () => note(T.logs.rowsCopied(await list.copy(json)));
    fill(this.chosen, h('span', {}, T.logs.rowsChosen(range[1] - range[0] + 1)), quiet(T.logs.copyRows,
      copy(false), { title: 'c' }),
      quiet(T.logs.copyRowsJson, copy(true)), quiet(T.logs.unselect, () => list.clearChosen(),
        { title: 'Esc' }));
  }
}
