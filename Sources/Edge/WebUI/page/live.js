// Records as they are written. Whole through breaks: the stream goes on behind the last event's id. What
// waits while somebody reads is bounded; what is beyond is said.

import { events, Failure } from './api.js';

const WAITING_MAX = 5_000;
/** Records a second beyond which nobody reads along: drawn less often. */
const FAST = 500;
const WAITS = [500, 1000, 2000, 5000, 10_000];

export class Live {
  #stop = new AbortController();
  #lastID = null;
  #tries = 0;
  #timer = 0;
  #again = 0;

  /**
   * `on`: {state(text), take(items, missing), open()}. `items` are lines or {dropped}, oldest first, at
   * most every 100 ms; `missing` says how many of those before them were let go because nobody looked.
   */
  constructor(dataset, where, on) {
    this.dataset = dataset;
    this.where = where;
    this.on = on;
    this.items = [];
    this.letGo = 0;
    this.held = false;
    this.seen = 0;
    this.rate = 0;
    this.lastSeen = 0;
    this.rateTimer = setInterval(() => {
      this.rate = this.seen - this.lastSeen;
      this.lastSeen = this.seen;
      this.on.tick();
    }, 1000);
    this.#run();
  }

  close() {
    this.#stop.abort();
    clearInterval(this.rateTimer);
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
  }

  /** How many wait to be shown. */
  get waiting() {
    return this.items.length + this.letGo;
  }

  /** While held, records wait. */
  hold(held) {
    this.held = held;
    if (!held) this.#giveSoon();
  }

  async #run() {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.on.state(this.#tries ? 'again' : 'opening');
      try {
        await events('GET', this.#path(), {
          signal, headers: this.#lastID ? { 'Last-Event-ID': this.#lastID } : {},
          onOpen: () => {
            this.#tries = 0;
            this.on.state('open');
            this.on.open();
          },
          onEvent: (event) => this.#take(event), onPiece: () => this.#giveSoon(),
        });
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        if (signal.aborted) return;
        if (failure.kind === 'invalid' || failure.kind === 'refused') {
          this.on.end(failure);
          return;
        }
      }
      if (signal.aborted) return;
      this.on.state('again');
      const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)];
      this.#tries += 1;
      await new Promise((resolve) => {
        this.#again = setTimeout(resolve, wait);
      });
    }
  }

  #path() {
    const query = new URLSearchParams();
    if (this.where) query.set('where', this.where);
    return `tail/${encodeURIComponent(this.dataset)}` + (this.where ? `?${query}` : '');
  }

  #take({ id, type, data }) {
    if (id !== null) this.#lastID = id;
    if (data === null || data === '') return;
    if (type === 'message' || type === 'record') {
      this.seen += 1;
      this.#keep(data);
      return;
    }
    let told = {};
    try {
      told = JSON.parse(data);
    } catch {
      return;
    }
    if (type === 'dropped') this.#keep({ dropped: told.count ?? 0 });
    else if (type === 'reset' || type === 'deleted') this.#keep({ told: type });
  }

  #keep(item) {
    this.items.push(item);
    if (!this.held || this.items.length <= WAITING_MAX * 2) return;
    const old = this.items.splice(0, this.items.length - WAITING_MAX);
    this.letGo += old.length;
  }

  #giveSoon() {
    if (this.#timer || this.held) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#give();
    }, this.rate > FAST ? 250 : 100);
  }

  #give() {
    if (this.held || !(this.items.length || this.letGo)) return;
    const { items, letGo } = this;
    this.items = [];
    this.letGo = 0;
    this.on.take(items, letGo);
  }
}
