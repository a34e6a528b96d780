/// The path of a route: `/api/logs/{container}/{session}`. A segment in braces is a parameter, which is any text but none.
package struct PathPattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  private enum Segment: Hashable {
    case literal(String)
    case parameter
  }

  /// As it was written: the route's name in metrics, logs and documents.
  package let description: String
  /// The parameters' names, in order.
  package let parameters: [String]
  private let segments: [Segment]

  package init(_ text: String) {
    description = text
    let parts = PathPattern.split(text)
    let names = parts.map { part in
      part.hasPrefix("{") && part.hasSuffix("}") ? String(part.dropFirst().dropLast()) : nil
    }
    segments = zip(parts, names).map { $1 == nil ? .literal(String($0)) : .parameter }
    parameters = names.compactMap { $0 }
  }

  package init(stringLiteral text: String) { self.init(text) }

  /// Whether it is one path alone.
  package var isLiteral: Bool { parameters.isEmpty }

  /// The segments of a path as sent, the first being empty.
  static func split(_ path: String) -> [Substring] {
    path.split(separator: "/", omittingEmptySubsequences: false)
  }

  /// The parameters' values, escapes resolved; empty where an escape is broken or the text no UTF-8: nothing is called so.
  ///
  /// - Parameter path: A path's segments as sent.
  /// - Returns: nil: the path is another.
  func match(_ path: [Substring]) -> [String]? {
    guard path.count == segments.count else { return nil }
    var values: [String] = []
    for (segment, sent) in zip(segments, path) {
      switch segment {
      case .literal(let literal):
        guard sent == literal || QueryItems.decode(sent, isQuery: false) == literal else { return nil }
      case .parameter:
        guard !sent.isEmpty else { return nil }
        values.append(QueryItems.decode(sent, isQuery: false) ?? "")
      }
    }
    return values
  }
}
