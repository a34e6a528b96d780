import Codecs
import Matching
import Records

/// Where a page of rows ended: order, sort key of the last row given, and the position bound of the first
/// page, so that later pages see no row written since. Opaque to clients; a changed or foreign token is
/// refused.
package struct QueryCursor: Sendable, Hashable {
  /// A value of the sort key: time or text.
  package enum KeyPart: Sendable, Hashable {
    case timestamp(Int64)
    case text([UInt8])
  }

  /// Sort-key values of the last row, then its position.
  package var key: [KeyPart]
  /// Of the last row given.
  package var position: Int64
  /// Positions below it are in the answer's pages.
  package var positionEnd: Int64

  private static let version: UInt8 = 1

  /// A cursor of a page that ended there.
  package init(key: [KeyPart], position: Int64, positionEnd: Int64) {
    self.key = key
    self.position = position
    self.positionEnd = positionEnd
  }

  /// The token: base64url of version, key, positions, a sum of the query they belong to, and a checksum.
  package func token(for request: QueryRequest) -> String {
    var bytes = [QueryCursor.version]
    Varint.append(signed: position, to: &bytes)
    Varint.append(signed: positionEnd, to: &bytes)
    Varint.append(UInt64(key.count), to: &bytes)
    for part in key {
      switch part {
      case .timestamp(let value):
        bytes.append(0)
        Varint.append(signed: value, to: &bytes)
      case .text(let text):
        bytes.append(1)
        Varint.append(UInt64(text.count), to: &bytes)
        bytes += text
      }
    }
    let sum = Hash64.xxh64(bytes, seed: QueryCursor.fingerprint(request))
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: sum >> UInt64(shift)))
    }
    return Base64URL.text(bytes)
  }

  /// Its length is that of texts of the sort key, which a record may have as long as a record may be; whoever
  /// hands it over has bounded it.
  ///
  /// - Throws: `.invalid` unless `token` came from ``token(for:)`` of an equal query.
  package init(token: String, request: QueryRequest) throws(StoreError) {
    let refusal = StoreError.invalid(
      "cursor: not one this query gave; send it back unchanged, with the same query")
    guard let bytes = Base64URL.bytes(token), bytes.count > 9,
      bytes[0] == QueryCursor.version
    else { throw refusal }
    let body = Array(bytes.dropLast(8))
    let sum = bytes.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard sum == Hash64.xxh64(body, seed: QueryCursor.fingerprint(request)) else { throw refusal }
    var at = 1
    guard let position = Varint.readSigned(body.span, at: &at),
      let positionEnd = Varint.readSigned(body.span, at: &at),
      let count = Varint.read(body.span, at: &at), count <= 8
    else { throw refusal }
    var key: [KeyPart] = []
    for _ in 0..<count {
      guard at < body.count else { throw refusal }
      let kind = body[at]
      at += 1
      if kind == 0, let value = Varint.readSigned(body.span, at: &at) {
        key.append(.timestamp(value))
      } else if kind == 1, let length = Varint.read(body.span, at: &at), length <= body.count - at {
        key.append(.text(Array(body[at..<at + Int(length)])))
        at += Int(length)
      } else {
        throw refusal
      }
    }
    guard at == body.count, key.count == request.orderColumns.count else { throw refusal }
    self.init(key: key, position: position, positionEnd: positionEnd)
  }

  /// The same query but for limit and cursor has the same fingerprint.
  private static func fingerprint(_ request: QueryRequest) -> UInt64 {
    // Without the last nanosecond is another query than without an end, which has been written so since 1.
    let end = request.end.map { $0 == .max ? "before the last" : "\($0)" } ?? "\(Int64.max)"
    let text = "\(request.dataset.name) \(request.start ?? .min) \(end) \(request.isDescending) "
    return Hash64.xxh64(Array((text + request.predicate.json.text).utf8), seed: 0x636F_7264_776F_6F64)
  }

  /// Rows behind the cursor, in the order of the sort key and the given direction.
  func predicate(orderColumns: [String], isDescending: Bool) -> Predicate {
    let beyond: Comparison = isDescending ? .less : .greater
    var parts = zip(orderColumns, key).map { name, part -> (ColumnPath, Literal) in
      switch part {
      case .timestamp(let value): (ColumnPath(name), .timestamp(value))
      case .text(let text): (ColumnPath(name), .string(String(decoding: text, as: UTF8.self)))
      }
    }
    parts.append((ColumnPath("position"), .int64(position)))
    // (a, b, p) behind (A, B, P): a > A, or a = A and b > B, or both equal and p > P.
    return .or(
      parts.indices.map { index in
        .and(
          parts[..<index].map { .compare($0.0, .equal, $0.1) } + [
            .compare(parts[index].0, beyond, parts[index].1)
          ])
      })
  }
}
