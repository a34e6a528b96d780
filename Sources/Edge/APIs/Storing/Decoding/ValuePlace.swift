import Codecs
import Records
import Shaping

/// Where a value lies in JSON text, and what it is by its first byte. Ours to read once it was checked.
struct ValuePlace {
  let range: Range<Int>
  private let first: UInt8

  /// Passes over the value at hand.
  ///
  /// - Throws: It is broken.
  init(_ reader: inout JSONReader) throws(JSONTree.SyntaxError) {
    first = reader.peek() ?? 0
    let start = reader.at
    try reader.skip()
    range = start..<reader.at
  }

  var isNull: Bool { first == UInt8(ascii: "n") }
  var isText: Bool { first == UInt8(ascii: "\"") }
  var isObject: Bool { first == UInt8(ascii: "{") }
  var isList: Bool { first == UInt8(ascii: "[") }
  var isNumber: Bool { first == UInt8(ascii: "-") || (0x30...0x39).contains(first) }

  /// What a text stands for; nil: it is none.
  func text(_ body: [UInt8]) -> String? {
    isText ? JSONScanner.text(body, range) : nil
  }

  /// A text that is not empty, or a number or word as text; nil: something else.
  func word(_ body: [UInt8]) -> String? {
    if isNull || isObject || isList { return nil }
    let word = text(body) ?? String(decoding: body[range], as: UTF8.self)
    return word.isEmpty ? nil : word
  }

  /// The time a number or a text says, in nanoseconds since 1970; nil: none that can be read.
  func time(_ body: [UInt8], _ times: LogTime) -> Int64? {
    if isNumber { return UnixTime.nanoseconds(body.span.extracting(range)) }
    return text(body).flatMap { times.nanoseconds($0) }
  }
}
