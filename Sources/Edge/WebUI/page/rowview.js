// A list of any number of rows, of which those in view are in the document. Pure of what a row looks like.
//
// What is shown hangs on an anchor: row `index` begins `offset` pixels above the upper edge. Rows lie in
// the normal flow below each other, so that they may have any height. The scroll bar is an estimate, at
// most 8 million pixels long (browsers stop at 17 to 33): small movements go pixel by pixel, leaps by
// share.

import { eachFrame, h } from './dom.js';

const LENGTH_MAX = 8_000_000;
const AHEAD = 3;
const KEPT_MAX = 2_000;

export class RowView {
  #keyed = new Map();
  #lastTop = 0;
  #settleTimer = 0;
  #selected = null;

  /**
   * `source`: {count(), height() estimated, varies() whether heights do, key(index), draw(index) → element,
   * redraw(element, index), want(from, to)}. `onMove(byUser)` follows each change of the anchor.
   */
  constructor(source, { head, onMove }) {
    this.source = source;
    this.onMove = onMove;
    this.index = 0;
    this.offset = 0;
    this.layer = h('div', { class: 'rows-layer', role: 'rowgroup' });
    this.spacer = h('div', { class: 'rows-spacer' });
    this.window = h('div', { class: 'rows-window' }, this.layer);
    this.element = h('div', { class: 'rows', role: 'grid', tabIndex: 0 },
      h('div', { class: 'rows-still' }, head, this.window), this.spacer);
    this.redraw = eachFrame(() => this.draw());
    this.element.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.height = 0;
    this.width = 0;
    this.observer = new ResizeObserver(() => {
      this.height = this.window.clientHeight;
      this.width = this.window.clientWidth;
      this.redraw();
    });
    this.observer.observe(this.window);
    this.onSelection = () => this.#noteSelection();
    document.addEventListener('selectionchange', this.onSelection);
  }

  close() {
    this.observer.disconnect();
    document.removeEventListener('selectionchange', this.onSelection);
    clearTimeout(this.#settleTimer);
  }

  /** Whether the first row begins at the upper edge. */
  get atTop() {
    return this.index === 0 && this.offset <= 0;
  }

  get hasSelection() {
    return this.#selected !== null;
  }

  #length() {
    return Math.min(LENGTH_MAX, this.source.count() * this.source.height());
  }

  #setLength(length) {
    if (length === this.length) return;
    this.length = length;
    this.spacer.style.height = length + 'px';
  }

  #scrolled() {
    const top = this.element.scrollTop;
    const moved = top - this.#lastTop;
    this.#lastTop = top;
    if (!moved) return;
    const range = this.#length() - this.height;
    if (Math.abs(moved) < this.height * 2 && top > 0 && top < range) {
      this.moveBy(moved);
    } else {
      const rows = Math.max(0, this.source.count() - this.height / this.source.height());
      const at = range > 0 ? Math.max(0, Math.min(1, top / range)) * rows : 0;
      this.index = Math.floor(at);
      this.offset = (at - this.index) * this.source.height();
      if (top >= range - 1) this.toEnd();
      this.draw();
    }
    this.onMove(true);
    this.#settleSoon();
  }

  #settleSoon() {
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => this.settle(), 120);
  }

  /** Puts the scroll bar where the anchor says. */
  settle() {
    const rows = Math.max(1, this.source.count() - this.height / this.source.height());
    const range = Math.max(0, this.#length() - this.height);
    const share = (this.index + this.offset / this.source.height()) / rows;
    let top = Math.round(Math.min(1, share) * range);
    if (this.atTop) top = 0;
    else top = Math.max(1, Math.min(top, this.#isEnd() ? range : range - 1));
    if (Math.abs(this.element.scrollTop - top) >= 1) this.element.scrollTop = top;
    this.#lastTop = this.element.scrollTop;
  }

  #isEnd() {
    const last = this.#keyed.get(this.source.key(this.source.count() - 1));
    return Boolean(last) && last.offsetTop + last.offsetHeight - this.offset <= this.height + 1;
  }

  moveBy(pixels) {
    this.offset += pixels;
    this.draw();
  }

  /** Shows row `index`: at the upper edge, or with `near` only so far that it is in view. */
  show(index, { near = false } = {}) {
    const count = this.source.count();
    const row = Math.max(0, Math.min(index, count - 1));
    if (near) {
      const element = this.#keyed.get(this.source.key(row));
      if (element && !element.classList.contains('kept')) {
        const top = element.offsetTop - this.offset;
        const below = top + element.offsetHeight - this.height;
        if (top >= 0 && below <= 0) return;
        this.moveBy(top < 0 ? top : Math.min(below, top));
        this.#settleSoon();
        this.onMove(false);
        return;
      }
    }
    this.index = row;
    this.offset = near ? -Math.floor(this.height / 3 / this.source.height()) * this.source.height() : 0;
    this.draw();
    this.#settleSoon();
    this.onMove(false);
  }

  toEnd() {
    this.index = Math.max(0, this.source.count() - 1);
    this.offset = -this.height;
    this.draw();
  }

  /**
   * `more` rows came before the first: what is read stays, unless the first row is in view and `stay` is
   * false.
   */
  inserted(more, stay) {
    if (stay) this.index += more;
    this.redraw();
  }

  /** Draws what is in view. */
  draw() {
    const { source, layer } = this;
    const count = source.count();
    const height = source.height();
    this.#setLength(Math.max(0, this.#length() - this.height));
    this.index = Math.max(0, Math.min(this.index, count - 1));
    this.#upwards();
    const shown = [];
    let below = -this.offset;
    const list = [];
    for (let index = this.index; index < count && below < this.height + AHEAD * height; index += 1) {
      const element = this.#element(index);
      shown.push(element);
      list.push(index);
      below += source.varies() && element.isConnected ? element.offsetHeight : height;
    }
    this.#place(shown);
    this.#downTo(shown, count);
    layer.style.transform = `translateY(${-Math.round(this.offset)}px)`;
    source.want(this.index - 50, this.index + list.length + 50);
  }

  /** Moves the anchor to the row that is at the upper edge. */
  #upwards() {
    const { source } = this;
    while (this.offset < 0 && this.index > 0) {
      this.index -= 1;
      this.offset += this.#heightOf(this.index);
    }
    if (this.index === 0 && this.offset < 0) this.offset = 0;
    for (let tall = this.#heightOf(this.index); this.offset >= tall && this.index < source.count() - 1;) {
      this.offset -= tall;
      this.index += 1;
      tall = this.#heightOf(this.index);
    }
  }

  #heightOf(index) {
    const { source } = this;
    if (!source.varies()) return source.height();
    const element = this.#element(index);
    if (!element.isConnected) this.layer.append(element);
    return element.offsetHeight || source.height();
  }

  /** At the end the last row ends at the lower edge. */
  #downTo(shown, count) {
    const last = shown.at(-1);
    if (!last || this.index + shown.length < count || (this.index === 0 && this.offset <= 0)) return;
    const gap = this.height - (last.offsetTop + last.offsetHeight - this.offset);
    if (gap <= 0) return;
    this.offset -= gap;
    this.#upwards();
    const list = [];
    for (let index = this.index; index < count; index += 1) list.push(this.#element(index));
    this.#place(list);
  }

  #element(index) {
    const key = this.source.key(index);
    let element = this.#keyed.get(key);
    if (element) {
      this.source.redraw(element, index);
    } else {
      element = this.source.draw(index);
      element.rowKey = key;
      this.#keyed.set(key, element);
    }
    return element;
  }

  /**
   * Makes the layer's children `list`, in order, moving as few as possible; rows of a selection stay, out of
   * view.
   */
  #place(list) {
    const wanted = new Set(list);
    for (const child of [...this.layer.children]) {
      if (wanted.has(child)) continue;
      if (this.#isSelected(child)) {
        child.classList.add('kept');
      } else {
        child.remove();
        this.#keyed.delete(child.rowKey);
      }
    }
    let at = this.layer.firstElementChild;
    for (const element of list) {
      while (at && at.classList.contains('kept') && !wanted.has(at)) at = at.nextElementSibling;
      if (element === at) at = at.nextElementSibling;
      else this.layer.insertBefore(element, at);
      element.classList.remove('kept');
    }
  }

  #noteSelection() {
    const selection = getSelection();
    const inside = selection && !selection.isCollapsed && this.layer.contains(selection.anchorNode);
    this.#selected = inside ? selection.getRangeAt(0) : null;
  }

  #isSelected(element) {
    return this.#selected !== null && this.layer.childElementCount < KEPT_MAX
      && this.#selected.intersectsNode(element);
  }

  /** Makes all rows anew, for another look. */
  reset() {
    this.#keyed.clear();
    this.layer.replaceChildren();
    this.draw();
  }

  elementOf(index) {
    return this.#keyed.get(this.source.key(index));
  }
}
