import Codecs
import Matching

/// A text in which detectors of the operator's own found something. All detectors look at the text as it
/// came: a place that one of them replaced could no longer be told by the next. Where places overlap, their
/// union becomes one mask, called after the place that begins first.
struct JoinedRedaction {
  /// A place of a text.
  private struct Part {
    let range: Range<Int>
    /// The detector, the built-in ones first; nil: what was masked before.
    let detector: Int?
  }

  private let replacements: [[UInt8]]
  private let firstRule: UInt16
  private var parts: [Part] = []

  /// - Parameter replacements: What stands for what each detector found, the built-in ones first.
  init(replacements: [[UInt8]], firstRule: UInt16) {
    self.replacements = replacements
    self.firstRule = firstRule
  }

  mutating func add(_ places: [Redaction.Place]) {
    for place in places { parts.append(Part(range: place.range, detector: place.detector.index)) }
  }

  mutating func add(_ found: [CapturePatternSet.Found]) {
    for place in found {
      parts.append(Part(range: place.range, detector: DetectorSet.names.count + place.pattern))
    }
  }

  /// See ``ScanMasking/appendRedacted(_:detectors:to:found:)``.
  mutating func run(_ text: Span<UInt8>, to output: inout [UInt8], found: inout [UInt16]) -> Bool {
    addMasks(text)
    parts.sort { ($0.range.lowerBound, $0.detector ?? -1) < ($1.range.lowerBound, $1.detector ?? -1) }
    var done = 0
    var mask = 0..<0
    var union = parts.first ?? Part(range: 0..<0, detector: nil)
    for part in parts {
      if part.detector == nil {
        mask = part.range
      } else if mask.lowerBound <= part.range.lowerBound, part.range.upperBound <= mask.upperBound {
        // A detector may match what stands for a secret: it stays.
        continue
      }
      if let detector = part.detector { found.append(firstRule + UInt16(detector)) }
      if part.range.lowerBound < union.range.upperBound {
        let end = max(union.range.upperBound, part.range.upperBound)
        union = Part(range: union.range.lowerBound..<end, detector: union.detector ?? part.detector)
      } else {
        replace(union, text, &done, &output)
        union = part
      }
    }
    replace(union, text, &done, &output)
    if done > 0 { output.append(copying: text.extracting(done..<text.count)) }
    return done > 0
  }

  private func replace(_ part: Part, _ text: Span<UInt8>, _ done: inout Int, _ output: inout [UInt8]) {
    guard let detector = part.detector else { return }
    output.append(copying: text.extracting(done..<part.range.lowerBound))
    output += replacements[detector]
    done = part.range.upperBound
  }

  /// Whatever masking leaves: stars, stars and the name of a detector, stars and a length. Other words in
  /// brackets are not ours, so that nobody keeps a secret by putting stars before it.
  private mutating func addMasks(_ text: Span<UInt8>) {
    var at = 0
    while at < text.count {
      guard MaskedText.hasStars(text, at) else {
        at += 1
        continue
      }
      let stars = TextClass.runEnd(text, at) { $0 == UInt8(ascii: "*") }
      var end: Int?
      for replacement in replacements where end == nil {
        end = TextClass.end(of: replacement, text, stars - 4)
      }
      let masked = at..<(end ?? lengthEnd(text, stars) ?? stars)
      parts.append(Part(range: masked, detector: nil))
      at = masked.upperBound
    }
  }

  /// Behind `[26 chars]` at `start`.
  private func lengthEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard start < text.count, text[start] == UInt8(ascii: "[") else { return nil }
    let digits = TextClass.runEnd(text, start + 1, TextClass.isDigit)
    guard digits > start + 1 else { return nil }
    return TextClass.end(of: Array(" chars]".utf8), text, digits)
  }
}
