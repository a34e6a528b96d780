import Codecs
import Records

/// What a JSON object that somebody's logger wrote says in the columns of the dataset `logs`.
///
/// Of the names that loggers have for a column the first that is there and fits gives it. All else goes into
/// `metadata` as it was sent, and so does what a column does not keep: a level in other words, a time that
/// cannot be read, a message that is no text. Nothing is refused but what is no JSON and, if that is wanted,
/// what has a time that cannot be read. Immutable: make one and keep it.
package struct RecordShape: Sendable {
  /// A column that is looked for.
  enum Role: Int, Sendable, CaseIterable { case message, time, level, service, env, trace, span }

  /// A name's place among those of its column.
  struct Rank: Sendable, Hashable {
    let role: Role
    let place: Int
    /// Of a level's name: whose numbers it has.
    var numbers = LevelName.Numbers.any
    /// Of a level's name: whether a word that nobody knows gives the column.
    var takesAnyWord = true
    /// Whether the member stays in `metadata` too: it says what happened, and is no message.
    var isBorrowed = false
  }

  /// By names as they are written, dots included.
  private var ranks: [Name: Rank]
  /// Of names that give a second column, or more, since a mapping says so.
  private var moreRanks: [Name: [Rank]] = [:]
  /// Objects that are looked into: of `log`, `log.level`.
  private var parents: Set<Name>
  package private(set) var refusesUnreadTimes = false

  /// With the names that loggers are known to use (Docs/shapes.md).
  ///
  /// - Parameter levels: Names of levels that go before these, the first one first. They may mean other
  ///   things too: only words that are known, and syslog's numbers, give a level.
  package init(levels: [String] = []) {
    var ranks: [Name: Rank] = [:]
    var parents: Set<Name> = []
    for (place, name) in levels.enumerated() {
      ranks[Name(name)] = Rank(
        role: .level, place: place - levels.count, numbers: .syslog, takesAnyWord: false)
    }
    for (role, names) in RecordShape.names {
      for (place, name) in names.enumerated() {
        ranks[Name(name)] = Rank(
          role: role, place: place, numbers: RecordShape.numbers[Name(name)] ?? .any,
          isBorrowed: role == .message && RecordShape.borrowed.contains(Name(name)))
        parents.formUnion(RecordShape.parents(of: name))
      }
    }
    self.ranks = ranks
    self.parents = parents
  }

  /// The same where the mapping's names go before these.
  package func mapped(by mapping: FieldMapping) -> RecordShape {
    guard !mapping.isEmpty else { return self }
    var shape = self
    shape.refusesUnreadTimes = mapping.refusesUnreadTimes
    for (column, names) in mapping.names {
      for (place, name) in names.enumerated() {
        if let other = shape.ranks[name], other.role != column.role {
          shape.moreRanks[name, default: []].append(other)
        }
        shape.ranks[name] = Rank(
          role: column.role, place: place - RecordShape.mappedFirst,
          numbers: RecordShape.numbers[name] ?? .any)
        shape.parents.formUnion(RecordShape.parents(of: name.text))
      }
    }
    return shape
  }

  /// More than names of a level that go before the known ones.
  private static let mappedFirst = 1_000

  /// What a name with dots may lie in: of `a.b.c`, `a` and `a.b`.
  private static func parents(of name: String) -> [Name] {
    name.utf8.indices.filter { name.utf8[$0] == UInt8(ascii: ".") }.map { Name(String(name[..<$0])) }
  }

  /// What a name is known as; nil: it is no name of a column.
  static func role(named name: String) -> Role? {
    names.first { $0.1.contains { $0.hasBytes(of: name) } }?.0
  }

  private static let names: [(Role, [String])] = [
    (
      .message,
      [
        "message", "msg", "_msg", "log", "text", "body", "short_message", "MESSAGE", "event.original",
        "full_message", "line", "@message", "@m", "@mt", "requestURI", "eventName",
        "operationName",
      ]
    ),
    (
      .time,
      [
        "timestamp", "time", "ts", "@timestamp", "t", "_time", "eventTime", "asctime", "datetime", "@t",
        "__REALTIME_TIMESTAMP", "requestReceivedTimestamp", "stageTimestamp",
      ]
    ),
    (
      .level,
      [
        "level", "severity", "lvl", "log.level", "loglevel", "log_level", "levelname", "levelno", "@l",
        "severity_text", "severityText", "severity_number", "severityNumber", "PRIORITY",
        "otel.log.severity.text", "otel.log.severity.number",
      ]
    ),
    (
      .service,
      [
        "service", "service.name", "service_name", "serviceName", "app", "application", "logger_service",
        "SYSLOG_IDENTIFIER", "kubernetes.container_name",
      ]
    ),
    (
      .env,
      [
        "env", "environment", "service.environment", "deployment.environment.name", "deployment.environment",
        "deployment_environment",
      ]
    ),
    (.trace, ["trace_id", "trace.id", "traceId", "traceid", "traceID", "dd.trace_id", "otelTraceID"]),
    (.span, ["span_id", "span.id", "spanId", "spanid", "spanID", "dd.span_id", "otelSpanID"]),
  ]

  /// Of Kubernetes' audit, CloudTrail and Azure: they say what was asked for.
  private static let borrowed: Set<Name> = ["requestURI", "eventName", "operationName"]

  /// Words at the names of levels that say how much was kept of a request (Kubernetes' audit).
  static let noLevels: Set<Name> = ["None", "Metadata", "Request", "RequestResponse"]

  private static let numbers: [Name: LevelName.Numbers] = [
    "PRIORITY": .syslog, "severity_number": .openTelemetry, "severityNumber": .openTelemetry,
    "otel.log.severity.number": .openTelemetry, "levelno": .python,
  ]

  /// How a record came out.
  package struct Outcome: Sendable, Hashable {
    /// Whether a time is among the members that cannot be read: it stays there, and the record has none.
    package var hasUnreadableTime = false
    /// Nanoseconds since 1970, where it has one.
    package var time: Int64?
  }

  /// What is known of a record beside its object.
  package struct Given {
    /// Nanoseconds since 1970; goes before what the object says, which stays in `metadata`.
    package var time: Int64?
    /// Of a record that names none.
    package var service: String?
    /// Of a record that names none.
    package var env: String?
    /// Of a record that names none, as it is to stand there.
    package var level: String?
    /// Members that are written elsewhere: `metadata` is without them.
    package var apart: Set<Name> = []
    /// Stands before another object of the same text, whose members give what the first does not say of
    /// level, service, environment, trace and span. They are not written.
    package var columns: JSONReader?

    /// Nothing.
    package init() {}
  }

  /// Reads the object at hand and writes the members of a record for it, ``bytesMax(_:)`` at most beside
  /// what is given.
  ///
  /// - Parameters:
  ///   - reader: Stands before the object; behind it afterwards.
  ///   - body: What it reads.
  ///   - given: What is known beside it.
  /// - Returns: nil: it is JSON and no object; nothing was written.
  /// - Throws: It is broken, or its time cannot be read and such are refused; nothing was written.
  package func write(
    _ reader: inout JSONReader, of body: [UInt8], to text: inout JSONWriter, times: LogTime,
    given: Given = Given()
  ) throws(JSONTree.SyntaxError) -> Outcome? {
    guard reader.peek() == UInt8(ascii: "{") else {
      try reader.skip()
      return nil
    }
    var reading = ShapeReading()
    try read(&reader, prefix: nil, into: &reading)
    if var columns = given.columns {
      var beside = ShapeReading()
      try read(&columns, prefix: nil, into: &beside)
      reading.add(beside)
    }
    if refusesUnreadTimes, given.time == nil, let time = reading.unreadTime(of: body, times) {
      throw JSONTree.SyntaxError(offsetBytes: time, reason: "the time cannot be read")
    }
    return reading.write(of: body, to: &text, times: times, given)
  }

  /// What an object of `byteCount` bytes comes to at most: a text that is no message may stand twice.
  package static func bytesMax(_ byteCount: Int) -> Int { byteCount * 3 + 1_024 }

  private func read(
    _ reader: inout JSONReader, prefix: String?, into reading: inout ShapeReading
  ) throws(JSONTree.SyntaxError) {
    try reader.open()
    var names = JSONNames()
    while let name = try reader.member(&names) {
      let kind = ShapeReading.Kind(reader.peek())
      let start = reader.at
      let whole = prefix.map { "\($0).\(name)" } ?? name
      if kind == .object, parents.contains(Name(whole)) {
        // A look ahead: it is read once more below, as a whole.
        var inner = reader
        try read(&inner, prefix: whole, into: &reading)
      }
      try reader.skip()
      let value = start..<reader.at
      let member = prefix == nil ? reading.members.count : nil
      if let rank = ranks[Name(whole)] {
        let kept = rank.isBorrowed ? nil : member
        reading.note(rank, ShapeReading.Candidate(value: value, kind: kind, member: kept))
        for more in moreRanks.isEmpty ? [] : moreRanks[Name(whole)] ?? [] {
          reading.note(more, ShapeReading.Candidate(value: value, kind: kind, member: kept))
        }
      }
      if prefix == nil { reading.members.append(ShapeReading.Member(name: name, value: value)) }
    }
  }
}
