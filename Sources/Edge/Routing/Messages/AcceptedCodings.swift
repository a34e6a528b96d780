import Columnar
import Records

/// What a client says it can decompress (`Accept-Encoding`; RFC 9110, §12.5.3).
package struct AcceptedCodings: Sendable, Hashable {
  /// What it likes best of what we have; nil: the bytes as they are.
  package let best: StreamCompressor.Coding?

  /// Without the field the bytes go as they are: many a client that does not ask cannot.
  package init(_ headers: HeaderFields) {
    guard headers.contains(name: "Accept-Encoding") else {
      best = nil
      return
    }
    var qualities: [Name: Double] = [:]
    for member in headers[list: "Accept-Encoding"].prefix(32) {
      let parts = member.parts(at: ";")[...]
      guard let name = parts.first.map(AcceptedCodings.trimmed) else { continue }
      qualities[Name(name.hasBytes(of: "x-gzip") ? "gzip" : name)] = AcceptedCodings.quality(
        parts.dropFirst())
    }
    let others = qualities["*"]
    // Not named it is never refused, but no client longs for it either.
    let plain = qualities["identity"] ?? 0
    let codings: [StreamCompressor.Coding] = [.zstd, .gzip]
    var chosen: (coding: StreamCompressor.Coding, quality: Double)?
    for coding in codings {
      let quality = qualities[Name(coding.rawValue)] ?? others ?? 0
      if quality > max(chosen?.quality ?? 0, plain - .ulpOfOne) { chosen = (coding, quality) }
    }
    best = chosen?.coding
  }

  private static func trimmed(_ text: Substring) -> String {
    text.trimmed.asciiLowercased
  }

  /// 1 without a `q`; a broken one means no.
  private static func quality(_ parameters: ArraySlice<Substring>) -> Double {
    for parameter in parameters {
      let text = trimmed(parameter)
      guard text.hasBytes(from: "q=") else { continue }
      guard let quality = Double(String(decoding: text.utf8.dropFirst(2), as: UTF8.self)),
        (0...1).contains(quality)
      else { return 0 }
      return quality
    }
    return 1
  }
}
