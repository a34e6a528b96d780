import Records

/// How the lines of a file are written.
package enum LineForm: String, Sendable, Hashable, CaseIterable {
  /// Objects of any logger (``RecordShape``).
  case json
  case syslog
  /// Web servers' common and combined formats.
  case access
  /// nginx' errors.
  case nginx
  /// Apache's errors.
  case apache
  case postgres
  case redis
  /// klog's and glog's.
  case klog
  /// Android's.
  case logcat
  /// Ruby's.
  case ruby
  /// `WARNING:shop.cart:message`
  case python
  /// Proxifier's.
  case proxifier
  /// `20171223-22:15:29:606|component|7|message`
  case bars
  /// Blue Gene/L, Thunderbird and their kind.
  case cluster
  /// States of a cluster's components.
  case states
  /// Names and values, `level=info msg="…"`.
  case logfmt
  /// Rows with the names of their columns in the first line.
  case csv
  /// Time, level, message, and what stands between: log4j, logback, Python's logging, zap's console, …
  case timed
  /// As a pattern of the user's has it.
  case pattern
  /// None of these: a line is a message.
  case text

  /// Those that a name alone tells.
  package static let named = allCases.filter { $0 != .pattern }

  /// Other names for them, as programs are known by.
  package init?(named name: String) {
    let aliases: [(String, LineForm)] = [
      ("log4j", .timed), ("logback", .timed), ("zap", .timed), ("spring", .timed), ("java", .timed),
      ("clf", .access), ("combined", .access), ("common", .access), ("glog", .klog), ("android", .logcat),
      ("postgresql", .postgres), ("journald", .syslog), ("k8s-audit", .json), ("bgl", .cluster),
      ("rails", .ruby), ("ndjson", .json), ("pino", .json), ("ecs", .json),
    ]
    let alias = aliases.first { $0.0.hasBytes(of: name) }?.1
    guard let form = alias ?? LineForm.named.first(where: { $0.rawValue.hasBytes(of: name) }) else {
      return nil
    }
    self = form
  }

  /// Those that have a recogniser which takes a line by itself, the narrow ones first.
  static let recognised: [LineForm] = [
    .access, .nginx, .apache, .redis, .klog, .logcat, .ruby, .python, .proxifier, .bars, .cluster, .states,
    .postgres, .syslog, .logfmt, .timed,
  ]

  /// Which lines belong to the record before them.
  enum Continuation { case never, traces, all }

  /// `.all`: every line without a head, since such programs write traces and texts of many lines.
  var continuation: Continuation {
    switch self {
    case .timed, .postgres, .klog, .python, .ruby, .redis, .nginx, .apache, .logcat, .bars, .proxifier,
      .pattern:
      .all
    case .syslog, .access, .cluster, .states, .logfmt, .json, .text: .traces
    case .csv: .never
    }
  }
}

extension ParsedLine {
  /// Reads a line that such a recogniser takes. Not for JSON, pairs, rows, patterns and text.
  ///
  /// - Returns: false: it is none of these, and nothing of what was noted is of use.
  mutating func read(_ text: Span<UInt8>, as form: LineForm, _ times: LineTimes) -> Bool {
    switch form {
    case .syslog: readSyslog(text, times)
    case .access: readAccess(text, times)
    case .nginx: readNginx(text, times)
    case .apache: readApache(text, times)
    case .postgres: readPostgres(text, times)
    case .redis: readRedis(text, times)
    case .klog: readKlog(text, times)
    case .logcat: readLogcat(text, times)
    case .ruby: readRuby(text, times)
    case .python: readPython(text, times)
    case .proxifier: readProxifier(text, times)
    case .bars: readBars(text, times)
    case .cluster: readCluster(text, times)
    case .states: readStates(text, times)
    case .timed: readTimed(text, times)
    case .json, .logfmt, .csv, .pattern, .text: false
    }
  }
}
