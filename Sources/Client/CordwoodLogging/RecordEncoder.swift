import Logging

/// Makes lines of JSON of log events, for one label and one set of the logger's own metadata. What is the
/// same in every record is written once.
struct RecordEncoder: Sendable {
  private let textBytesMax: Int
  /// Behind the message: `,"service":…,"env":…`, as far as they are there.
  private let columns: [UInt8]
  /// The member `logger`.
  private let label: [UInt8]
  private var own = Own()

  /// The logger's metadata as it is written.
  private struct Own: Sendable {
    var metadata: Logger.Metadata = [:]
    /// The members, as they stand behind a `{`.
    var members: [UInt8] = []
    var taken: TakenNames = []
    var traceID: Logger.MetadataValue?
    var spanID: Logger.MetadataValue?

    func isColumn(_ name: String) -> Bool {
      (name == "trace_id" && traceID != nil) || (name == "span_id" && spanID != nil)
    }
  }

  /// Names that both the program and this module give; the program's members win.
  struct TakenNames: OptionSet, Sendable {
    let rawValue: UInt8
    static let logger = TakenNames(rawValue: 1)
    static let source = TakenNames(rawValue: 2)
    static let file = TakenNames(rawValue: 4)
    static let function = TakenNames(rawValue: 8)
    static let line = TakenNames(rawValue: 16)
    static let level = TakenNames(rawValue: 32)
    static let errorMessage = TakenNames(rawValue: 64)
    static let errorType = TakenNames(rawValue: 128)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ name: String) {
      switch name {
      case "logger": self = .logger
      case "source": self = .source
      case "file": self = .file
      case "function": self = .function
      case "line": self = .line
      case "level": self = .level
      case "error.message": self = .errorMessage
      case "error.type": self = .errorType
      default: self = []
      }
    }
  }

  init(label: String, options: CordwoodLogOptions) {
    textBytesMax = options.textBytesMax
    var columns = JSONText(textBytesMax: textBytesMax)
    if let service = options.service { columns.member("service", text: service) }
    if let environment = options.environment { columns.member("env", text: environment) }
    self.columns = columns.bytes.isEmpty ? [] : [UInt8(ascii: ",")] + columns.bytes
    var name = JSONText(textBytesMax: textBytesMax)
    name.member("logger", text: label)
    self.label = name.bytes
  }

  /// The logger's metadata. Setting it writes all of it, so that records need not.
  var metadata: Logger.Metadata {
    get { own.metadata }
    set {
      var json = JSONText(textBytesMax: textBytesMax)
      var written = Own(metadata: newValue)
      written.traceID = RecordEncoder.identifier(newValue["trace_id"])
      written.spanID = RecordEncoder.identifier(newValue["span_id"])
      for (name, value) in newValue where !written.isColumn(name) {
        written.taken.formUnion(TakenNames(name))
        json.member(name, value)
      }
      written.members = json.bytes
      own = written
    }
  }

  /// A line with its end. Values of metadata are asked for their description, so no lock may be held.
  ///
  /// - Parameters:
  ///   - nanoseconds: Since 1970.
  ///   - provided: Wins over the logger's metadata, and the event's over it.
  func line(_ event: LogEvent, at nanoseconds: Int64, provided: Logger.Metadata) -> [UInt8] {
    let room = 256 + columns.count + label.count + own.members.count + event.message.description.utf8.count
    var json = JSONText(textBytesMax: textBytesMax, capacity: room)
    json.raw("{\"timestamp\":")
    json.integer(nanoseconds)
    json.raw(",\"level\":\"")
    json.raw(event.level.column)
    json.raw("\",\"message\":")
    json.text(event.message.description)
    json.raw(columns)
    let given = event.metadata ?? [:]
    let traceID = RecordEncoder.identifier(given["trace_id"] ?? provided["trace_id"]) ?? own.traceID
    let spanID = RecordEncoder.identifier(given["span_id"] ?? provided["span_id"]) ?? own.spanID
    if let traceID { json.member("trace_id", traceID) }
    if let spanID { json.member("span_id", spanID) }
    json.raw(",\"metadata\":{")
    let taken = members(&json, given: given, provided: provided)
    described(&json, event, taken)
    json.raw("}}\n")
    return json.bytes
  }

  private func members(
    _ json: inout JSONText, given: Logger.Metadata, provided: Logger.Metadata
  ) -> TakenNames {
    var taken: TakenNames = []
    func write(_ name: String, _ value: Logger.MetadataValue) {
      if RecordEncoder.isIdentifier(name), RecordEncoder.identifier(value) != nil { return }
      taken.formUnion(TakenNames(name))
      json.member(name, value)
    }
    let isOwnHidden = own.metadata.keys.contains { given[$0] != nil || provided[$0] != nil }
    if isOwnHidden {
      for (name, value) in own.metadata where given[name] == nil && provided[name] == nil {
        write(name, value)
      }
    } else {
      json.raw(own.members)
      taken = own.taken
    }
    for (name, value) in provided where given[name] == nil { write(name, value) }
    for (name, value) in given { write(name, value) }
    return taken
  }

  /// Where the event comes from, and what of it no column has.
  private func described(_ json: inout JSONText, _ event: LogEvent, _ taken: TakenNames) {
    if event.level == .notice || event.level == .critical, !taken.contains(.level) {
      json.member("level", text: event.level.rawValue)
    }
    if let error = event.error {
      if !taken.contains(.errorMessage) { json.member("error.message", text: "\(error)") }
      if !taken.contains(.errorType) {
        json.member("error.type", text: String(reflecting: type(of: error)))
      }
    }
    if !taken.contains(.logger) {
      json.comma()
      json.raw(label)
    }
    // There is a member by now, and these names need no escaping: so each is one copy.
    if !taken.contains(.source) {
      json.raw(",\"source\":")
      json.text(event.source)
    }
    if !taken.contains(.file) {
      json.raw(",\"file\":")
      json.text(event.file)
    }
    if !taken.contains(.function) {
      json.raw(",\"function\":")
      json.text(event.function)
    }
    if !taken.contains(.line) {
      json.raw(",\"line\":")
      json.integer(Int64(clamping: event.line))
    }
  }

  private static func isIdentifier(_ name: String) -> Bool { name == "trace_id" || name == "span_id" }

  /// What the columns of identifiers take: a text that is not empty. Other values stay members.
  private static func identifier(_ value: Logger.MetadataValue?) -> Logger.MetadataValue? {
    switch value {
    case .string(let text): text.isEmpty ? nil : value
    case .stringConvertible(let convertible): .string(convertible.description)
    case .dictionary, .array, nil: nil
    }
  }
}

extension Logger.Level {
  /// The word that the column `level` has for it. `notice` and `critical` stay in `metadata.level`.
  fileprivate var column: String {
    switch self {
    case .trace: "TRACE"
    case .debug: "DEBUG"
    case .info, .notice: "INFO"
    case .warning: "WARN"
    case .error: "ERROR"
    case .critical: "FATAL"
    }
  }
}
