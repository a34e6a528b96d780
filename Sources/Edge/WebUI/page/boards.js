// Boards: up to 20 charts that are kept on the server, for everybody of the tenant.

import { call } from './api.js';
import { chartNodes, chartOf, titleOf } from './chart-view.js';
import { chartAddress } from './charts.js';
import { fill, h, isolated, say } from './dom.js';
import { dialog, note } from './overlay.js';
import { failureText, labelled, nothing, panel, select, show } from './parts.js';
import { linkTo, rangeChoice } from './place.js';
import { words } from './texts-pages.js';

export const CHARTS_MAX = 20;

/** All boards, by name: [{name, charts}]. */
export async function boardsOf(signal) {
  const { views } = await call('GET', 'views', { signal });
  return views.filter((view) => view.kind === 'board').map((view) => ({
    name: String(view.name), charts: Array.isArray(view.value?.charts) ? view.value.charts : [],
  })).sort((one, other) => (one.name < other.name ? -1 : 1));
}

const keep = (name, charts) => call('PUT', `views/${encodeURIComponent(name)}`,
  { body: { kind: 'board', value: { charts } } });

/** What is shown at `/ui/charts?board=NAME`. */
export function board(ctx, body, address, name, signal) {
  const again = () => board(ctx, body, address, name, signal);
  const range = rangeChoice(ctx, address, '24h');
  return show(body, async () => {
    const found = (await boardsOf(signal)).find((one) => one.name === name);
    const back = linkTo(ctx, { ...address, more: new Map() }, words.charts.allBoards, 'button');
    if (!found) {
      const [before, after] = words.charts.noBoard('\u0000').split('\u0000');
      return nothing([before, isolated(name), after], back);
    }
    const head = h('div', { class: 'board-head' }, h('h2', null, isolated(name)), range.element,
      h('span', { class: 'gap' }), back,
      h('button', { type: 'button', class: 'danger', onclick: () => remove(ctx, address, name) },
        words.charts.deleteBoard));
    if (!found.charts.length) return [head, nothing(words.charts.emptyBoard,
      linkTo(ctx, { ...address, more: new Map() }, words.charts.makeChart, 'button main'))];
    const grid = h('div', { class: 'panels board' }, found.charts.slice(0, CHARTS_MAX).map((value, index) =>
      card(ctx, address, name, value, index, found.charts, range, signal, again)));
    return [head, grid];
  }, { quiet: true });
}

function card(ctx, address, name, value, index, charts, range, signal, again) {
  const chart = chartOf(value);
  const change = (work) => async () => {
    try {
      const fresh = (await boardsOf(signal)).find((one) => one.name === name)?.charts ?? [];
      const at = fresh.findIndex((one) => JSON.stringify(one) === JSON.stringify(value));
      if (at >= 0) await keep(name, work(fresh, at));
      again();
    } catch (failure) {
      note(failureText(failure));
    }
  };
  const swap = (list, at, other) => {
    if (other < 0 || other >= list.length) return list;
    [list[at], list[other]] = [list[other], list[at]];
    return list;
  };
  const title = chart ? titleOf(chart) : words.charts.brokenChart;
  const tool = (text, sign, work, disabled) => h('button', {
    type: 'button', class: 'quiet square', 'aria-label': `${text}: ${title}`, title: text, disabled,
      onclick: change(work),
  }, sign);
  const actions = h('span', { class: 'tools' },
    tool(words.charts.earlier, '←', (list, at) => swap(list, at, at - 1), index === 0),
    tool(words.charts.later, '→', (list, at) => swap(list, at, at + 1), index === charts.length - 1),
    tool(words.charts.remove, '×', (list, at) => list.filter((_, place) => place !== at), false));
  const heading = chart ? linkTo(ctx, chartAddress({ ...address, range: range.range }, chart), say(title))
    : title;
  const one = panel(heading, { actions });
  if (chart) show(one.body, () => chartNodes(ctx, chart, range, signal));
  else fill(one.body, nothing(words.charts.brokenChart));
  return one.element;
}

async function remove(ctx, address, name) {
  const sure = await dialog(words.charts.deleteBoard, (close) => h('div', { class: 'asked' },
    h('p', null, say(words.charts.deleteSure(name))), h('p', { class: 'actions' },
      h('button', { type: 'button', class: 'danger', onclick: () => close(true) }, words.charts.deleteBoard),
      h('button', { type: 'button', onclick: () => close(false) }, words.charts.keep))));
  if (!sure) return;
  try {
    await call('DELETE', `views/${encodeURIComponent(name)}`);
    ctx.go({ ...address, more: new Map() });
  } catch (failure) {
    note(failureText(failure));
  }
}

/** Asks on which board a chart is to be put, and puts it there. Gives the board's name, or null. */
export async function putOnBoard(chart) {
  let boards;
  try {
    boards = await boardsOf();
  } catch (failure) {
    note(failureText(failure));
    return null;
  }
  return dialog(words.charts.toBoard, (close) => {
    const said = h('p', { class: 'said', role: 'alert' });
    const title = h('input', { type: 'text', value: titleOf(chart), maxlength: 200 });
    const name = h('input', { type: 'text', maxlength: 100 });
    const naming = labelled(words.charts.boardName, name);
    const choose = select([...boards.map((one) => [one.name, one.name]), ['', words.charts.newBoard]],
      boards[0]?.name ?? '', (value) => {
      naming.hidden = value !== '';
      if (value === '') name.focus();
    });
    naming.hidden = boards.length > 0;
    const put = async (event) => {
      event.preventDefault();
      const wanted = (choose.value || name.value).trim();
      if (!wanted) {
        fill(said, words.charts.nameNeeded);
        return name.focus();
      }
      try {
        const charts = (await boardsOf()).find((one) => one.name === wanted)?.charts ?? [];
        if (charts.length >= CHARTS_MAX) return fill(said, words.charts.full);
        await keep(wanted, [...charts, { ...chart, title: title.value.trim() }]);
        close(wanted);
      } catch (failure) {
        fill(said, failureText(failure));
      }
    };
    return h('form', { class: 'fields', onsubmit: put, novalidate: true }, labelled(words.charts.chartName,
      title),
      boards.length ? labelled(words.charts.boards, choose) : null, naming, said,
      h('p', { class: 'actions' }, h('button', { class: 'main' }, words.charts.put)));
  });
}
