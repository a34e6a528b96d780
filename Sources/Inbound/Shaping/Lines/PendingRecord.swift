import Codecs

/// A record that may go on with the next line.
struct Pending {
  enum Kind: Hashable {
    /// A recogniser has read its first line.
    case parsed
    /// A JSON object, as it stands there.
    case object
    /// A JSON object made of pairs or cells.
    case made([UInt8])
    /// Of no form.
    case raw
  }

  enum Source {
    /// Where it lies in the input at hand.
    case range(Range<Int>)
    /// Taken out of an envelope.
    case own([UInt8])
  }

  /// Its lines in the input at hand, line ends included.
  struct Place {
    var start: Int
    var end: Int
    /// The first of them, from 1.
    let line: Int

    init(_ start: Int, _ end: Int, _ line: Int) { (self.start, self.end, self.line) = (start, end, line) }
  }

  let kind: Kind
  private(set) var source: Source
  private(set) var place: Place
  let envelope: EnvelopedLine?
  var head = ParsedLine()
  var depth = ObjectDepth()
  private(set) var lineCount = 1
  /// Empty lines at the end, which belong to it only if another line follows.
  private var emptyCount = 0

  init(kind: Kind, source: Source, place: Place, envelope: EnvelopedLine?) {
    (self.kind, self.source, self.place, self.envelope) = (kind, source, place, envelope)
  }

  /// An object whose last brace is still to come.
  var isOpenObject: Bool { kind == .object && depth.isOpen }

  /// Whether lines of its text may follow: not behind an object.
  var takesLines: Bool { kind == .parsed || kind == .raw }

  var byteCount: Int {
    switch source {
    case .range(let range): range.count
    case .own(let bytes): bytes.count
    }
  }

  mutating func extend(_ more: Source, _ place: Place, isEmpty: Bool) {
    self.place.end = place.end
    lineCount += 1
    if isEmpty {
      emptyCount += 1
      return
    }
    switch (source, more) {
    case (.range(let range), .range(let next)): source = .range(range.lowerBound..<next.upperBound)
    case (.own(var bytes), .own(let next)):
      source = .range(0..<0)
      bytes += [UInt8](repeating: 0x0A, count: emptyCount + 1)
      bytes += next
      source = .own(bytes)
    case (.range, .own), (.own, .range): break
    }
    emptyCount = 0
  }

  mutating func move(by distance: Int) {
    place.start += distance
    place.end += distance
    if case .range(let range) = source {
      source = .range(range.lowerBound + distance..<range.upperBound + distance)
    }
  }
}

/// Whether an object that spans lines is complete, told by brackets and quotes alone.
struct ObjectDepth {
  private var depth = 0
  private var isInText = false
  private var isEscaped = false
  private var hasBegun = false

  var isOpen: Bool { hasBegun && (depth > 0 || isInText) }

  mutating func read(_ source: Pending.Source, _ bytes: [UInt8]) {
    switch source {
    case .range(let range): read(bytes.span.extracting(range))
    case .own(let bytes): read(bytes.span)
    }
  }

  private mutating func read(_ text: Span<UInt8>) {
    for index in text.indices {
      let byte = text[index]
      if isInText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInText = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        hasBegun = true
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
    // A text has no line end in it.
    isInText = false
    isEscaped = false
  }
}
