// Every text that people see on the shell and the Logs page. The other pages' are in texts-pages.js.

const grouped = new Intl.NumberFormat('en-US');

/** 9807 as `9,807`; numbers kept as text stay whole. */
export function count(number) {
  if (typeof number === 'number') return grouped.format(number);
  const text = String(number);
  return /^\d+$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, ',') : text;
}

/** 9807 as `9.8k`, for narrow places; the title has the whole number. */
export function shortCount(number) {
  const size = Number(number);
  if (size < 10_000) return count(size);
  for (const [unit, sign] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (size >= unit) return (size / unit < 100 ? (Math.floor(size / unit * 10) / 10)
      : Math.floor(size / unit)) + sign;
  }
  return count(size);
}

export const many = (number, one, more) => `${count(number)} ${Number(number) === 1 ? one : more}`;

export function bytes(number) {
  let size = Number(number);
  for (const unit of ['B', 'KB', 'MB', 'GB', 'TB']) {
    const short = size < 10 && unit !== 'B' ? size.toFixed(1) : Math.round(size);
    if (size < 1000 || unit === 'TB') return `${short} ${unit}`;
    size /= 1000;
  }
  return '';
}

export const T = {
  name: 'Cordwood',
  pages: {
    overview: 'Overview', logs: 'Logs', trace: 'Trace', charts: 'Charts', verify: 'Verify', send: 'Send',
    manage: 'Manage', signin: 'Sign in',
  },
  skip: 'Skip to the page',
  menu: 'Pages',
  tenant: 'Tenant',
  account: 'Account',
  signOut: 'Sign out',
  signedInAs: (name) => `Signed in as ${name}`,
  openServer: 'Open: no sign-in needed',
  otherUser: (name) => `This browser is now signed in as ${name}. What is below was read before.`,
  reload: 'Reload',
  theme: { null: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' },
  help: 'Keyboard',
  close: 'Close',
  back: 'Back',
  loading: 'Loading…',
  notFound: 'There is no such page.',
  toLogs: 'Go to the logs',
  brokenPage: 'This page could not be loaded. The server may have been updated.',
  retry: 'Try again',
  failure: {
    away: 'The server does not answer. Trying again…',
    stopped: 'Stopped.',
    cut: 'The answer broke off before it was whole, so it is not shown.',
    foreign: 'What answered is not Cordwood: a proxy, perhaps, or another program on this port.',
    refused: 'You may not see this.',
    busy: (seconds) => (seconds ? `The server is busy. Again in ${seconds} s.` : 'The server is busy.'),
    failed: 'The server failed.',
    request: (id) => `Request ${id}`,
  },
  keys: [
    ['Anywhere', [['?', 'this list'], ['t', 'theme'], ['g o', 'Overview'], ['g l', 'Logs'], ['g c', 'Charts'],
      ['Esc', 'close, back']]],
    ['Logs', [['/', 'filter'], ['Enter', 'run; open the row'], ['j k ↓ ↑', 'next, previous row'],
      ['PgDn PgUp', 'a screen'], ['Home End', 'first, last row'], ['e E', 'next, previous error'],
      ['n N', 'next, previous match of find'], ['Ctrl F', 'find'], ['x', 'filter by the row’s level'], ['a',
        'around the row'],
      ['c', 'copy the row or the selected rows'], ['Shift ↓ ↑', 'select rows'], ['w', 'wrap'],
      ['l', 'live'],
      ['[ ]', 'earlier, later'], ['- +', 'zoom out, in']]],
  ],
  logs: {
    records: 'Records',
    time: 'time',
    table: 'table',
    bars: 'Records by time',
    barsSay: (total, bars, start, end, top, max) =>
      `${total} records in ${bars} bars from ${start} to ${end}` +
      (top ? `; most, ${max}, at ${top}.` : '.'),
    missing: '(missing)',
    emptyText: '(empty)',
    dropped: (number) => many(number, 'record is', 'records are') +
      ' missing here: this browser reads too slowly.',
    told: {
      reset: 'The store was changed: what came between is not shown.',
      deleted: 'Records that would be here were deleted meanwhile.',
    },
    more: (number) => `… ${number} more characters`,
    filter: 'Filter',
    filterHint: (text, field) => `Filter: ${text} contains "timed out" and ${field} = …`,
    offers: 'Completions',
    offerKinds: { field: 'field', operator: 'operator', keyword: '', value: '', history: 'asked before' },
    hiddenInFilter: 'This filter has invisible characters:',
    findInstead: (field) => `Look for these words in ${field}`,
    datasets: 'Dataset',
    ranges: {
      '5m': 'Last 5 minutes', '15m': 'Last 15 minutes', '1h': 'Last hour', '6h': 'Last 6 hours',
        '24h': 'Last 24 hours',
      '7d': 'Last 7 days', '30d': 'Last 30 days', '365d': 'Last year', all: 'All time',
    },
    last: (length) => `Last ${length}`,
    noRange: 'No time',
    earlier: 'Earlier',
    later: 'Later',
    from: 'From',
    to: 'To',
    timeHint: '2026-11-19 12:00:00.5, 12:00, now, -15m, RFC 3339, or seconds since 1970',
    noTime: 'This is no time.',
    noOrder: 'The end is not after the start.',
    apply: 'Show',
    zone: 'Time zone',
    local: 'This computer',
    otherZone: 'Another zone…',
    chips: 'Conditions',
    isMissing: 'is missing',
    isThere: 'is there',
    notIn: 'not',
    turn: 'Turn into its opposite',
    remove: 'Remove the condition on',
    clear: 'Clear all',
    fields: 'Fields',
    allFields: 'All fields',
    findField: 'Find a field',
    distinct: (number, exact) => `${exact ? '' : 'about '}${number} different values`,
    noValues: 'No values',
    moreValues: (number) => `+ ${number} more`,
    yetMore: (number) => `${number} more`,
    least: 'least',
    median: 'median',
    most: 'most',
    atLeast: (number) => `Only from ${number} up`,
    exclude: (value) => `Leave out ${value}`,
    asColumn: 'As a column, or no longer',
    types: { text: 'text', time: 'time', int64: 'number', float64: 'number', number: 'number',
      boolean: 'yes/no',
      object: 'object', mixed: 'mixed' },
    run: 'Run',
    stop: 'Stop',
    live: 'Live',
    liveState: { opening: 'connecting', open: 'live', again: 'connection lost, trying again' },
    liveRate: (number) => `${number} records/s`,
    waiting: (number) => `${many(number, 'new record', 'new records')}`,
    count: (number) => many(number, 'record', 'records'),
    atLeastCount: (number) => `more than ${count(number)} records`,
    ms: (number) => `${number} ms`,
    looked: (number) => `${shortCount(number)} looked at`,
    share: (share) => `${Math.round(share * 100)} % counted`,
    incomplete: 'Damaged or missing files: some records are not here.',
    wrap: 'wrap',
    columns: 'columns',
    newestFirst: 'Newest first',
    oldestFirst: 'Oldest first',
    download: 'download',
    command: 'command',
    copyCommand: 'Copy',
    commandCopied: 'Command copied',
    commandTitle: 'The same on the command line',
    views: 'views',
    saveView: 'Save this view…',
    viewName: 'Name of the view',
    save: 'Save',
    viewSaved: 'View saved',
    noViews: 'No saved views yet',
    removeView: 'Remove a view…',
    copyLink: 'Copy link',
    linkCopied: 'Link copied',
    downloadAs: (name) => `All matches as ${name}`,
    formats: { ndjson: 'NDJSON', csv: 'CSV', json: 'JSON', parquet: 'Parquet', arrow: 'Arrow' },
    detail: 'Record',
    previousRow: 'Previous row (k)',
    nextRow: 'Next row (j)',
    around: 'Around',
    aroundTitle: 'Around this record',
    sameAs: 'same',
    backToList: 'Back to the list',
    moreNewer: 'more, newer',
    moreOlder: 'more, older',
    copyJson: 'Copy JSON',
    copyText: 'Copy text',
    copied: (size) => `Copied ${size}`,
    notCopied: 'The browser did not let this page copy.',
    rowsCopied: (number) => `${many(number, 'row', 'rows')} copied`,
    rowsChosen: (number) => `${many(number, 'row', 'rows')} selected`,
    copyRows: 'Copy as text',
    copyRowsJson: 'Copy as JSON',
    unselect: 'Clear',
    positionSay: (position) => `Position ${position}`,
    nextPart: (size, all) => `Show ${size} more of ${all}`,
    moreMembers: (number) => `${number} more fields`,
    findMember: (number) => `Find among ${number} fields`,
    only: 'Only records with this value',
    without: 'Only records without this value',
    copyValue: 'Copy the value',
    wholeValue: (size) => `Show the whole value, ${size}`,
    find: 'Find in the texts',
    findNext: 'Next (n)',
    findPrevious: 'Previous (N)',
    noRecord: 'There is no such record any more.',
    noFind: 'No match in this direction.',
    noError: 'No error in this direction.',
    none: 'No records yet',
    noneHint: (dataset) => `The dataset ${dataset} of this tenant is empty.`,
    toSend: 'How to send some',
    noMatch: 'Nothing matches in this time',
    nearest: (time) => `The nearest match is at ${time}.`,
    showThem: 'Show it',
    noMatchAtAll: 'Nothing matches, in no time.',
    clearFilters: 'Clear the conditions',
    broken: 'The filter cannot be read.',
    brokenRange: 'The address names no time that can be read.',
    fieldsFailed: 'The values could not be counted.',
    barsFailed: 'The bars could not be counted.',
    showFields: 'Fields',
  },
};
