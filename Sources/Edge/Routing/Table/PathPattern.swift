import Records

/// The path of a route: `/api/v1/logs/{id}`. A segment in braces is a parameter, which is any text but none;
/// in `{name?}` it may be none, for APIs that answer that as they answer other names that nobody has.
package struct PathPattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  private enum Segment: Hashable {
    case literal(String)
    case parameter(mayBeEmpty: Bool)
  }

  /// As it was written: the route's name in metrics, logs and documents.
  package let description: String
  /// The parameters' names, in order.
  package let parameters: [String]
  private let segments: [Segment]

  package init(_ text: String) {
    description = text.replacing("?}", with: "}")
    var segments: [Segment] = []
    var parameters: [String] = []
    for part in PathPattern.split(text) {
      if part.hasPrefix("{"), part.hasSuffix("}") {
        segments.append(.parameter(mayBeEmpty: part.hasSuffix("?}")))
        parameters.append(part.filter { !"{?}".contains($0) })
      } else {
        segments.append(.literal(String(part)))
      }
    }
    self.segments = segments
    self.parameters = parameters
  }

  package init(stringLiteral text: String) { self.init(text) }

  /// How many segments it has, the empty one before its first stroke too.
  var segmentCount: Int { segments.count }

  /// Whether it is one path alone.
  package var isLiteral: Bool { parameters.isEmpty }

  /// The segments of a path as sent, the first being empty.
  static func split(_ path: String) -> [Substring] {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) }
  }

  /// The parameters' values, escapes resolved; empty where an escape is broken or the text no UTF-8: nothing
  /// is called so.
  ///
  /// - Parameter path: A path's segments as sent.
  /// - Returns: nil: the path is another.
  func match(_ path: [Substring]) -> [String]? {
    guard path.count == segments.count else { return nil }
    var values: [String] = []
    for (segment, sent) in zip(segments, path) {
      switch segment {
      case .literal(let literal):
        if sent.hasBytes(of: literal) { continue }
        guard sent.utf8.contains(UInt8(ascii: "%")),
          QueryItems.decode(sent, isQuery: false)?.hasBytes(of: literal) == true
        else {
          return nil
        }
      case .parameter(let mayBeEmpty):
        guard mayBeEmpty || !sent.isEmpty else { return nil }
        values.append(QueryItems.decode(sent, isQuery: false) ?? "")
      }
    }
    return values
  }
}
