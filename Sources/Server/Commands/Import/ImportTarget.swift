import APIs
import Codecs
import HTTP
import Routing

/// Where imported lines go.
enum ImportTarget: Sendable, Hashable {
  /// A dataset of the native API. Records that have no `service` get this one.
  case dataset(String, service: String?)
  /// A session of the sessions API. Lines of text become records of this level.
  case session(SessionName, level: String?)

  var isSession: Bool {
    if case .session = self { true } else { false }
  }

  /// Tells targets apart: in idempotency keys and in the names of state files.
  var name: String {
    switch self {
    case .dataset(let dataset, let service): "\(dataset)/\(service ?? "")"
    case .session(let session, let level): "session:\(session)/\(level ?? "")"
    }
  }

  var path: String {
    switch self {
    case .dataset(let dataset, _): "/v1/records/\(dataset)"
    case .session(let session, _): session.path
    }
  }

  /// For bodies of which bad records are left out.
  var skippingPath: String { isSession ? path : path + "?on_error=skip" }

  var contentType: String { isSession ? "application/json" : "application/x-ndjson" }

  /// Members put at the start of every record made of a line, each with a comma behind it.
  ///
  /// - Parameter time: When the import began, in nanoseconds since 1970: the time of lines that are no
  ///   records. It must be the same when a batch is sent again.
  func members(_ style: LineStyle, time: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: 64)
    switch self {
    case .dataset(_, nil): break
    case .dataset(_, let service?):
      writer.append(raw: "\"service\":")
      writer.appendString(service)
      writer.append(raw: ",")
    case .session where style == .json: break
    case .session(_, let level):
      writer.append(raw: "\"timestamp\":")
      writer.appendTimestamp(time / 1_000 * 1_000)
      writer.append(raw: ",\"level\":")
      if let level { writer.appendString(level) } else { writer.appendNull() }
      writer.append(raw: ",")
    }
    return writer.takeBytes()
  }

  /// The request's body for records a line each, the last line end included.
  func body(_ lines: [UInt8]) -> [UInt8] {
    guard isSession else { return lines }
    // A record has no line end in it: each one stands between two records.
    let records = lines.dropLast().map { $0 == 10 ? UInt8(ascii: ",") : $0 }
    return Array("{\"logs\":[".utf8) + records + Array("]}".utf8)
  }
}

/// `CONTAINER/SESSION`.
struct SessionName: Sendable, Hashable, CustomStringConvertible {
  let container: String
  let session: String

  init(_ text: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(SessionName.isPlain) })
    else {
      throw Failure("--session: CONTAINER/SESSION, of letters, digits, - and _")
    }
    container = parts[0]
    session = parts[1]
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  var description: String { "\(container)/\(session)" }
  var path: String { "/api/logs/\(container)/\(session)" }
}
