import Records

/// How a body is compressed on its way (RFC 9110, §8.4).
package enum ContentCoding: String, Sendable, Hashable, CaseIterable {
  /// RFC 1952; several members may follow one another.
  case gzip
  /// RFC 9110 means zlib's wrapping (RFC 1950); clients that send bare deflate (RFC 1951) are understood.
  case deflate
  /// RFC 8878; several frames, skippable ones among them.
  case zstd
  /// One snappy block without framing, as Loki's push and Prometheus' remote write send it.
  case snappy
  /// Snappy's framing format, each chunk with its checksum.
  case snappyFramed = "x-snappy-framed"

  /// All names, for people.
  package static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  /// - Parameter name: As in `Content-Encoding`, in any case; `x-gzip` is gzip.
  package init?(_ name: some StringProtocol) {
    let name = name.asciiLowercased
    guard let coding = name.hasBytes(of: "x-gzip") ? .gzip : ContentCoding(word: name) else { return nil }
    self = coding
  }
}
