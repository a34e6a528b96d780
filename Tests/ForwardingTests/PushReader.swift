import Codecs
import Columnar
import Records

@testable import Forwarding

/// An entry as a Loki would take it from a push.
struct ReceivedEntry: Hashable, Sendable {
  /// Label text: `{a="b"}` as it came, or made from JSON in the same form (for plain values).
  var labels: String
  var timestamp: Int64
  var line: String
  var metadata: [String: String] = [:]

  /// The `message` of the line.
  var message: String {
    // Most lines have no escapes, and histories have many lines.
    let start = line.utf8.dropFirst(12)
    if line.hasPrefix("{\"message\":\""), !line.utf8.contains(0x5C) {
      return String(Substring(start.prefix { $0 != 0x22 }))
    }
    guard let tree = try? JSONTree(parsing: Array(line.utf8)), case .string(let text)? = tree["message"]
    else {
      return ""
    }
    return text
  }
}

struct BadPush: Error {}

/// Takes pushes apart strictly, as Loki does. Wire format: https://protobuf.dev/programming-guides/encoding/.
enum PushReader {
  static func entries(_ request: PushRequest) throws -> [ReceivedEntry] {
    switch request.contentType {
    case "application/x-protobuf":
      guard request.contentEncoding == nil else { throw BadPush() }
      var at = 0
      guard let count = Varint.read(request.body.span, at: &at) else { throw BadPush() }
      return try protobuf(BlockCompression.decompressSnappy(request.body.span, byteCount: Int(count)))
    case "application/json":
      guard request.contentEncoding == "gzip" else { throw BadPush() }
      return try json(ContentCoding.gzip.decode(request.body.span, bytesMax: 1 << 30) { _ in true })
    default: throw BadPush()
    }
  }

  private enum Value {
    case number(UInt64)
    case bytes([UInt8])
  }

  private static func fields(_ bytes: [UInt8]) throws -> [(field: Int, value: Value)] {
    var fields: [(Int, Value)] = []
    var at = 0
    while at < bytes.count {
      guard let tag = Varint.read(bytes.span, at: &at), let value = Varint.read(bytes.span, at: &at) else {
        throw BadPush()
      }
      switch tag & 7 {
      case 0: fields.append((Int(tag >> 3), .number(value)))
      case 2:
        guard Int(value) <= bytes.count - at else { throw BadPush() }
        fields.append((Int(tag >> 3), .bytes(Array(bytes[at..<at + Int(value)]))))
        at += Int(value)
      default: throw BadPush()
      }
    }
    return fields
  }

  private static func string(_ bytes: [UInt8]) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw BadPush() }
    return text
  }

  private static func protobuf(_ bytes: [UInt8]) throws -> [ReceivedEntry] {
    try fields(bytes).flatMap { field, value -> [ReceivedEntry] in
      guard field == 1, case .bytes(let stream) = value else { throw BadPush() }
      let parts = try fields(stream)
      guard case (1, .bytes(let labels))? = parts.first else { throw BadPush() }
      return try parts.dropFirst().map { field, value in
        guard field == 2, case .bytes(let entry) = value else { throw BadPush() }
        return try protobufEntry(entry, labels: string(labels))
      }
    }
  }

  private static func protobufEntry(_ bytes: [UInt8], labels: String) throws -> ReceivedEntry {
    var entry = ReceivedEntry(labels: labels, timestamp: 0, line: "")
    for (field, value) in try fields(bytes) {
      guard case .bytes(let part) = value else { throw BadPush() }
      switch field {
      case 1:
        for (field, value) in try fields(part) {
          guard case .number(let number) = value else { throw BadPush() }
          if field == 1 {
            entry.timestamp &+= Int64(bitPattern: number) &* 1_000_000_000
          } else if field == 2, number < 1_000_000_000 {
            entry.timestamp &+= Int64(number)
          } else {
            throw BadPush()
          }
        }
      case 2: entry.line = try string(part)
      case 3:
        let pair = try fields(part)
        guard pair.count == 2, case (1, .bytes(let name)) = pair[0], case (2, .bytes(let text)) = pair[1]
        else { throw BadPush() }
        entry.metadata[try string(name)] = try string(text)
      default: throw BadPush()
      }
    }
    return entry
  }

  static func json(_ text: [UInt8]) throws -> [ReceivedEntry] {
    guard case .array(let streams)? = try JSONTree(parsing: text)["streams"] else { throw BadPush() }
    return try streams.flatMap { stream in
      guard case .object(let members)? = stream["stream"], case .array(let values)? = stream["values"] else {
        throw BadPush()
      }
      let labels = try members.map { member in
        guard case .string(let value) = member.value else { throw BadPush() }
        return "\(member.name)=\"\(value)\""
      }
      return try values.map { value in
        guard case .array(let parts) = value, (2...3).contains(parts.count),
          case .string(let time) = parts[0],
          case .string(let line) = parts[1], let timestamp = Int64(time)
        else { throw BadPush() }
        var entry = ReceivedEntry(
          labels: "{\(labels.joined(separator: ","))}", timestamp: timestamp, line: line)
        if parts.count == 3 {
          guard case .object(let pairs) = parts[2] else { throw BadPush() }
          for pair in pairs {
            guard case .string(let text) = pair.value else { throw BadPush() }
            entry.metadata[pair.name] = text
          }
        }
        return entry
      }
    }
  }
}
