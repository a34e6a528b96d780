// From the records of a trace to the bars of a waterfall. Pure: no document.

import { own, valueAt } from './json.js';
import { parseTime } from './time.js';

const MS = 1_000_000n;
const TOOK = [
  ['duration_ms', 1], ['elapsed_ms', 1], ['took_ms', 1], ['latency_ms', 1], ['duration_seconds', 1000],
  ['execution_time_seconds', 1000], ['elapsed_seconds', 1000], ['duration_ns', 1e-6], ['duration_us', 1e-3],
];
const STEP_NAMES = ['name', 'step', 'node', 'agent', 'tool', 'action', 'message'];
const STEP_STARTS = ['started_at', 'start_time', 'start', 'timestamp', 'time'];
const STEP_ENDS = ['ended_at', 'end_time', 'end', 'finished_at'];
const OBJECTS = ['metadata', 'payload', 'metrics'];

/** How long a record says it took, in milliseconds; null where it does not. */
export function tookOf(record) {
  for (const [name, factor] of TOOK) {
    for (const parent of [null, ...OBJECTS]) {
      const value = parent ? own(own(record, parent), name) : own(record, name);
      const number = value === undefined || value === null ? NaN : Number(value);
      if (number > 0 && Number.isFinite(number)) return number * factor;
    }
  }
  return null;
}

function firstOf(object, names) {
  for (const name of names) {
    const value = own(object, name);
    if (value !== undefined && value !== null && typeof value !== 'object') return value;
  }
  return null;
}

function timeOf(value) {
  if (typeof value === 'string') return parseTime(value);
  const number = Number(value);
  if (value === null || !Number.isFinite(number) || number < 1e9) return null;
  return number > 2e10 ? BigInt(Math.round(number)) * MS : BigInt(Math.round(number * 1000)) * MS;
}

/** The steps that a run has in `payload.trace`, as rows of their own; without times each follows the last. */
function stepsOf(record, start, dataset) {
  const steps = valueAt(record, 'payload.trace') ?? valueAt(record, 'trace');
  if (!Array.isArray(steps)) return [];
  let next = start;
  return steps.slice(0, 200).filter((step) => step !== null && typeof step === 'object').map((step) => {
    const begin = timeOf(firstOf(step, STEP_STARTS)) ?? next;
    const end = timeOf(firstOf(step, STEP_ENDS));
    const took = tookOf(step) ?? (end !== null && end > begin ? Number(end - begin) / 1e6 : null);
    next = took === null ? begin : begin + BigInt(Math.round(took * 1e6));
    return {
      dataset, record: step, start: begin, took, isStep: true, from: '',
        level: String(firstOf(step, ['status', 'level']) ?? ''),
      message: String(firstOf(step, STEP_NAMES) ?? ''),
    };
  });
}

function rowOf(dataset, record) {
  const took = tookOf(record);
  const at = parseTime(record.timestamp) ?? 0n;
  const texts = {
    logs: ['service', 'level', 'message'], workflows: ['category', 'status', 'workflow_version'],
    audit: ['resource_type', 'severity', 'action'],
  }[dataset] ?? ['service', 'level', 'message'];
  const [from, level, message] = texts.map((name) => String(own(record, name) ?? ''));
  const said = dataset === 'workflows' ? [own(record, 'ticket_id'), own(record, 'resolution_status'), message]
    .filter(Boolean).map(String).join(' · ') : message;
  return { dataset, record, start: at, took, from, level, message: said };
}

/**
 * Rows of all `answers` ([{dataset, rows}]), in order of their start, then of their position:
 * {rows: [{…, offset (ms), took (ms or null)}], start, length (ms)}.
 */
export function waterfall(answers) {
  const rows = [];
  for (const { dataset, rows: records } of answers) {
    for (const record of records) {
      const row = rowOf(dataset, record);
      rows.push(row, ...stepsOf(record, row.start, dataset));
    }
  }
  rows.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  if (!rows.length) return { rows, start: 0n, length: 0, hasDurations: false };
  const { start } = rows[0];
  let length = 0;
  for (const row of rows) {
    row.offset = Number(row.start - start) / 1e6;
    length = Math.max(length, row.offset + (row.took ?? 0));
  }
  return { rows, start, length, hasDurations: rows.some((row) => row.took !== null) };
}
