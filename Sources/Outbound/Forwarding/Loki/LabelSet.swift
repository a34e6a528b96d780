import Codecs

/// The labels of a stream in the forms Loki reads, and what it would not take as labels.
struct LabelSet: Sendable, Hashable {
  /// `{env="prod",level="INFO"}`: names ascending, each once.
  let text: [UInt8]
  /// `{"env":"prod","level":"INFO"}`.
  let json: [UInt8]
  /// Labels that are too many or too long: sent as structured metadata.
  let metadata: [Pair]

  struct Pair: Sendable, Hashable {
    var name: String
    var value: String
  }

  /// Loki's defaults (`max_label_names_per_series`, `max_label_value_length`): beyond them it refuses the
  /// entry.
  static let labelCountMax = 15
  static let valueBytesMax = 2048
  private static let nameBytesMax = 1024

  /// - Parameter pairs: Later ones win over earlier ones of the same name; names are cleaned, empty values
  ///   left out.
  init(_ pairs: [Pair]) {
    var values: [String: String] = [:]
    for pair in pairs { values[LabelSet.cleanName(pair.name)] = pair.value }
    let sorted = values.filter { !$0.value.isEmpty }.map { Pair(name: $0.key, value: $0.value) }
      .sorted { $0.name < $1.name }
    var labels: [Pair] = []
    var rest: [Pair] = []
    for pair in sorted {
      let fits = labels.count < LabelSet.labelCountMax && pair.value.utf8.count <= LabelSet.valueBytesMax
      if fits { labels.append(pair) } else { rest.append(pair) }
    }
    // Loki refuses a stream without labels; the name is the one it would derive itself.
    if labels.isEmpty { labels = [Pair(name: "service_name", value: "unknown_service")] }
    text = LabelSet.text(of: labels)
    json = LabelSet.json(of: labels)
    metadata = rest
  }

  /// `name` with every byte that no label's name may have as `_` (`[a-zA-Z_][a-zA-Z0-9_]*`).
  static func cleanName(_ name: String) -> String {
    var bytes: [UInt8] = []
    for (index, byte) in name.utf8.prefix(nameBytesMax).enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        bytes.append(byte)
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if index == 0 { bytes.append(UInt8(ascii: "_")) }
        bytes.append(byte)
      default: bytes.append(UInt8(ascii: "_"))
      }
    }
    return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
  }

  /// Values are in the quotes of Go: backslash, quote and control characters escaped.
  private static func text(of labels: [Pair]) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "{")]
    for (index, label) in labels.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += Array(label.name.utf8) + Array("=\"".utf8)
      for byte in label.value.utf8 {
        switch byte {
        case 0x22, 0x5C: bytes += [0x5C, byte]
        case 0x0A: bytes += Array("\\n".utf8)
        case 0x0D: bytes += Array("\\r".utf8)
        case 0x09: bytes += Array("\\t".utf8)
        case 0..<0x20, 0x7F:
          bytes += Array("\\x\(Hex.text([byte]))".utf8)
        default: bytes.append(byte)
        }
      }
      bytes.append(0x22)
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  private static func json(of labels: [Pair]) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.append(raw: "{")
    for (index, label) in labels.enumerated() {
      if index > 0 { writer.append(raw: ",") }
      writer.appendString(label.name)
      writer.append(raw: ":")
      writer.appendString(label.value)
    }
    writer.append(raw: "}")
    return writer.takeBytes()
  }
}
