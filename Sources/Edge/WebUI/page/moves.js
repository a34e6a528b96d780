// Moving about the list: focus, one record, around it, errors, matches, the keyboard.

import { aroundView } from './around.js';
import { Failure } from './api.js';
import { note } from './overlay.js';
import { chipValue, datasetOf, errorText, findText } from './query.js';
import { placeOf } from './rows.js';
import { T } from './texts.js';
import { parseTime } from './time.js';
import { toggledFilter } from './address.js';

const placeOfRecord = (record) => ({ time: parseTime(record.timestamp), position: String(record.position) });

export class Moves {
  constructor(page) {
    this.page = page;
    this.aroundView = null;
    this.shown = null;
  }

  leave() {
    this.aroundView?.leave();
  }

  /** The row with the focus if it is in view, else the first in view. */
  from() {
    const { list } = this.page;
    const index = list.focusIndex;
    return index >= 0 && list.view.elementOf(index) ? index : list.view.index;
  }

  /** (timestamp, position) of the row with the focus, else of the first in view. */
  place() {
    const { list } = this.page;
    const line = list.line(this.from());
    return typeof line === 'string' ? placeOf(line) : null;
  }

  /** Shows the row of a place, loaded or not. */
  async goTo(place, { near = true } = {}) {
    const { run, list } = this.page;
    let index = list.indexOfLive(place.position);
    if (index < 0) {
      const loaded = run.rows.indexOfLoaded(place.position);
      if (loaded >= 0) index = loaded + list.live.length;
    }
    if (index < 0) {
      const before = await run.count(place);
      await run.summarized;
      if (this.page.run !== run) return;
      index = before + list.live.length;
    }
    list.focus(index, { near });
  }

  async guarded(work) {
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.kind !== 'stopped') note(this.page.ctx.fail(failure));
    }
  }

  /** The next (or, `back`, the previous) record that a condition holds for. */
  seek(condition, back, none) {
    const { page } = this;
    if (!page.run?.rows) return undefined;
    return this.guarded(async () => {
      const record = await page.run.seek(condition, this.place(), back);
      if (!record) {
        note(none);
        return;
      }
      await this.goTo(placeOfRecord(record));
      if (page.address.at) page.ctx.go({ ...page.address, at: String(record.position) }, { replace: true });
    });
  }

  find(back = false) {
    const { address, tools } = this.page;
    if (!tools.findText) return tools.openFind();
    return this.seek(findText(address.dataset, tools.findText), back, T.logs.noFind);
  }

  open(index) {
    const { list, address, ctx } = this.page;
    const line = list.line(index);
    if (typeof line !== 'string') return;
    const at = String(placeOf(line).position);
    if (at !== address.at) ctx.go({ ...address, at }, { replace: address.at !== null });
  }

  /** With a record open, it follows the focus. */
  focused(index) {
    if (this.page.address?.at) this.open(index);
  }

  /** Shows the record that the address names. */
  showAt() {
    const { page } = this;
    const { at } = page.address;
    page.element.classList.toggle('with-detail', at !== null);
    if (at === null) {
      this.shown = null;
      page.detail.hide();
      this.endAround();
      return;
    }
    if (!page.address.more.get('around')) this.endAround();
    if (at === this.shown) return;
    this.shown = at;
    this.guarded(async () => {
      const { list } = page;
      const focus = list.record(list.focusIndex);
      const here = focus && String(focus.position) === at;
      const record = here ? focus : await page.reading(at);
      if (at !== page.address.at) return;
      if (!record) {
        note(T.logs.noRecord);
        return;
      }
      page.detail.show(record, page.look());
      if (page.address.more.get('around')) this.showAround(record);
      if (!here && page.run?.rows) await this.goTo(placeOfRecord(record));
    });
  }

  close() {
    const { page } = this;
    page.list.element.focus();
    if (page.address.at) page.ctx.go({ ...page.address, at: null, more: this.more(null) });
  }

  more(around) {
    const more = new Map(this.page.address.more);
    more.delete('around');
    if (around) more.set('around', '1');
    return more;
  }

  step(by) {
    const { list } = this.page;
    list.focus(list.focusIndex < 0 ? list.view.index : this.from() + by);
  }

  toTop() {
    const { list } = this.page;
    getSelection()?.removeAllRanges();
    list.chosen = null;
    list.view.show(0);
    this.page.following?.moved();
  }

  around(record = this.page.list.record(this.page.list.focusIndex)) {
    if (!record) return;
    const { ctx, address } = this.page;
    const at = String(record.position);
    this.showAround(record);
    ctx.go({ ...address, at, more: this.more(true) });
  }

  showAround(record) {
    const { page } = this;
    const at = String(record.position);
    if (this.aroundOf === at && this.aroundView) return;
    this.endAround();
    this.aroundOf = at;
    this.aroundView = aroundView(record, { ...page.look() }, {
      close: () => page.ctx.go({ ...page.address, more: this.more(null) }),
      pick: (one) => page.detail.show(one, page.look()), fail: (failure) => note(page.ctx.fail(failure)),
    });
    page.centre.append(this.aroundView.element);
    page.element.classList.add('with-around');
  }

  endAround() {
    this.aroundView?.leave();
    this.aroundView?.element.remove();
    this.aroundView = null;
    this.page.element.classList.remove('with-around');
  }

  /** A condition on the level of the row with the focus. */
  chip() {
    const { page } = this;
    const record = page.list.record(page.list.focusIndex);
    if (!record) return;
    const field = datasetOf(page.address.dataset).by;
    page.go({ filters: toggledFilter(page.address.filters, field, chipValue(record[field]), false) });
  }

  async copy() {
    const { list } = this.page;
    if (!list.range) return false;
    const copied = await list.copy(false);
    note(copied ? T.logs.rowsCopied(copied) : T.logs.notCopied);
    return true;
  }

  escape() {
    const { page } = this;
    if (this.aroundView) page.ctx.go({ ...page.address, more: this.more(null) });
    else if (page.element.classList.contains('with-fields')) page.showFields();
    else if (page.list.clearChosen()) return;
    else if (page.address.at) this.close();
    else if (!page.tools.closeFind()) page.filter.input.blur();
  }

  keys() {
    const { page } = this;
    const { list } = page;
    const screen = () => Math.max(1, Math.floor(list.view.height / 22) - 1);
    const choose = (by) => list.chooseTo(this.from() + by);
    const error = (back) => this.seek(errorText(page.address.dataset), back, T.logs.noError);
    const copyChosen = () => (getSelection()?.isCollapsed !== false && list.chosen ? this.copy() : false);
    return {
      '/': () => page.filter.focus(), Escape: () => this.escape(),
      Enter: () => (list.focusIndex < 0 ? false : this.open(list.focusIndex)),
      j: () => this.step(1), ArrowDown: () => this.step(1), k: () => this.step(-1), ArrowUp: () =>
        this.step(-1),
      PageDown: () => this.step(screen()), PageUp: () => this.step(-screen()),
      Home: () => list.focus(0), End: () => list.focus(list.count - 1),
      'shift ArrowDown': () => choose(1), 'shift ArrowUp': () => choose(-1),
      'shift PageDown': () => choose(screen()), 'shift PageUp': () => choose(-screen()),
      e: () => error(false), E: () => error(true), n: () => this.find(false), N: () => this.find(true),
      'ctrl f': () => page.tools.openFind(), 'ctrl c': () => copyChosen(), l: () => page.toggleLive(),
      w: () => page.tools.toggleWrap(), c: () => this.copy(), a: () => this.around(), x: () => this.chip(),
      '[': () => page.range.move(-1), ']': () => page.range.move(1), '-': () => page.range.zoom(-1),
      '+': () => page.range.zoom(1), '=': () => page.range.zoom(1),
    };
  }
}
