import Codecs
import Decoding
import Records
import Shaping

/// The labels of a stream, and which of them name columns of the dataset `logs`.
struct LokiLabels: Sendable {
  /// A column that labels give.
  private enum Role: Int, CaseIterable { case service, env, level, trace, span }

  /// Names and the columns they give, the first one first: of services those that Loki itself looks at.
  private static let names: [(Role, [String])] = [
    (
      .service,
      [
        "service_name", "service", "app", "application", "app_name", "name", "app_kubernetes_io_name",
        "container", "container_name", "k8s_container_name", "component", "workload", "job", "k8s_job_name",
      ]
    ),
    (.env, ["env", "environment", "deployment_environment", "deployment_environment_name"]),
    (.level, ["level", "detected_level", "severity", "severity_text", "lvl", "loglevel", "log_level"]),
    (.trace, ["trace_id", "traceid", "traceID", "traceId"]),
    (.span, ["span_id", "spanid", "spanID", "spanId"]),
  ]
  private static let ranks: [Name: (role: Role, place: Int)] = {
    var ranks: [Name: (role: Role, place: Int)] = [:]
    for (role, list) in names {
      for (place, name) in list.enumerated() { ranks[Name(name)] = (role, place) }
    }
    return ranks
  }()

  private var values: NamedValues<String>

  /// - Parameter countMax: Labels there may be.
  init(countMax: Int) { values = NamedValues(countMax: countMax) }

  /// In the order they were sent.
  var pairs: [(name: String, value: String)] { values.pairs }
  /// Whether there were more than there may be.
  var isCut: Bool { values.isCut }

  mutating func add(_ name: String, _ value: String) { values.set(name, value) }

  /// What labels say in columns; nil: nothing.
  struct Columns: Sendable {
    var service: String?
    var env: String?
    /// In our words where there is one for it.
    var level: String?
    var traceID: String?
    var spanID: String?
  }

  /// Of the labels that give a column the first one, in our order, that is not empty.
  func columns() -> Columns {
    var found: [(place: Int, value: String)?] = Array(repeating: nil, count: Role.allCases.count)
    for pair in pairs where !pair.value.isEmpty {
      guard let (role, place) = LokiLabels.ranks[Name(pair.name)] else { continue }
      if found[role.rawValue].map({ $0.place > place }) ?? true { found[role.rawValue] = (place, pair.value) }
    }
    func value(_ role: Role) -> String? { found[role.rawValue]?.value }
    return Columns(
      service: value(.service), env: value(.env),
      level: value(.level).map { LevelName($0)?.rawValue ?? $0 }, traceID: value(.trace),
      spanID: value(.span))
  }

  // MARK: The text form

  /// Labels as a protobuf push has them: `{app="web", level="error"}`, values quoted as Go quotes (and in
  /// backquotes, where nothing is an escape); nil for anything else.
  init?(_ text: Span<UInt8>, countMax: Int) {
    self.init(countMax: countMax)
    var parser = LokiLabelParser(at: 0)
    guard parser.read(text, into: &self) else { return nil }
  }
}

/// Reads ``LokiLabels`` from text.
private struct LokiLabelParser {
  var at: Int

  mutating func read(_ text: Span<UInt8>, into labels: inout LokiLabels) -> Bool {
    guard take("{", text) else { return false }
    if take("}", text) { return skipSpace(text) == text.count }
    repeat {
      // A comma may stand behind the last.
      if !labels.pairs.isEmpty, take("}", text) { return skipSpace(text) == text.count }
      guard let name = name(text), take("=", text), let value = value(text) else { return false }
      labels.add(name, value)
    } while take(",", text)
    return take("}", text) && skipSpace(text) == text.count
  }

  private mutating func skipSpace(_ text: Span<UInt8>) -> Int {
    while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0A { at += 1 }
    return at
  }

  private mutating func take(_ character: Unicode.Scalar, _ text: Span<UInt8>) -> Bool {
    guard skipSpace(text) < text.count, UInt32(text[at]) == character.value else { return false }
    at += 1
    return true
  }

  /// Letters, digits, `_`, `.`, `:` and what is beyond ASCII, or a quoted text.
  private mutating func name(_ text: Span<UInt8>) -> String? {
    guard skipSpace(text) < text.count else { return nil }
    if text[at] == UInt8(ascii: "\"") { return value(text) }
    let start = at
    while at < text.count, LokiLabelParser.isName(text[at]) { at += 1 }
    return at > start ? String(repairing: text.extracting(start..<at)) : nil
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), 0x80...: true
    default: false
    }
  }

  private mutating func value(_ text: Span<UInt8>) -> String? {
    guard skipSpace(text) < text.count else { return nil }
    let quote = text[at]
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`") else { return nil }
    at += 1
    var bytes: [UInt8] = []
    while at < text.count {
      let byte = text[at]
      at += 1
      if byte == quote { return String(decoding: bytes, as: UTF8.self) }
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        guard unescape(text, into: &bytes) else { return nil }
      } else {
        bytes.append(byte)
      }
    }
    return nil
  }

  /// What stands behind a backslash, as Go's `strconv.Quote` writes it.
  private mutating func unescape(_ text: Span<UInt8>, into bytes: inout [UInt8]) -> Bool {
    guard at < text.count else { return false }
    let escape = text[at]
    at += 1
    switch escape {
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): bytes.append(escape)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "a"): bytes.append(0x07)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "v"): bytes.append(0x0B)
    case UInt8(ascii: "x"):
      guard let code = hex(text, 2) else { return false }
      bytes.append(UInt8(truncatingIfNeeded: code))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      guard let code = hex(text, escape == UInt8(ascii: "u") ? 4 : 8), let scalar = Unicode.Scalar(code)
      else { return false }
      bytes.append(contentsOf: String(scalar).utf8)
    case 0x30...0x37:
      guard at + 2 <= text.count, text[at] & 0xF8 == 0x30, text[at + 1] & 0xF8 == 0x30, escape <= 0x33 else {
        return false
      }
      bytes.append((escape & 7) << 6 | (text[at] & 7) << 3 | text[at + 1] & 7)
      at += 2
    default: return false
    }
    return true
  }

  private mutating func hex(_ text: Span<UInt8>, _ digits: Int) -> UInt32? {
    guard at + digits <= text.count else { return nil }
    var code: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = Hex.value(text[at]) else { return nil }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }
}
