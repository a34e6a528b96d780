import Records

/// A regular expression with named groups that is asked what they captured: in RE2's syntax, as
/// ``CapturePattern`` is, in time of states × bytes whatever both are.
package struct NamedPattern: Sendable, Hashable {
  /// The longest expression in UTF-8 bytes.
  package static let bytesMax = 4 << 10
  /// The most states of its automaton.
  package static let statesMax = 5_000

  /// What it was made of.
  package let text: String
  /// Of its groups, `(?<name>…)` or `(?P<name>…)`, in the order in which they are written.
  package let names: [String]
  private let graph: ProgramGraph

  /// - Throws: `.invalid` with a sentence for an expression that is broken, too long or too large, has no
  ///   named group, two of one name or one within another, or matches the empty text.
  package init(_ text: String) throws(StoreError) {
    guard text.utf8.count <= NamedPattern.bytesMax else {
      throw .invalid("the regular expression has more than \(NamedPattern.bytesMax) bytes")
    }
    let (node, names) = try PatternParser.parseGroups(text, ignoreCase: false, groups: .named)
    guard !names.isEmpty else {
      throw .invalid("the regular expression has no named group: `(?<message>.+)`")
    }
    guard node.bytesMin > 0 else {
      throw .invalid("the regular expression matches the empty text")
    }
    let program = try AutomatonProgram(node, isTraced: true)
    guard program.cost <= NamedPattern.statesMax else {
      throw .invalid(
        "the regular expression has \(program.cost) states, more than \(NamedPattern.statesMax): use fewer "
          + "or smaller repetitions")
    }
    (self.text, self.names) = (text, names)
    graph = ProgramGraph(program)
  }

  /// What each group captured in the first match, by its place in ``names``; nil for a group that took no
  /// part in it, or for all: there is no match.
  package func captures(in text: Span<UInt8>) -> [Range<Int>?]? {
    var search = CaptureSearch(graph, hasGroup: true, text)
    return search.first(ofGroups: names.count, in: text)
  }

  /// Byte by byte.
  package static func == (left: NamedPattern, right: NamedPattern) -> Bool {
    left.text.hasBytes(of: right.text)
  }

  /// Of the bytes.
  package func hash(into hasher: inout Hasher) { Name(text).hash(into: &hasher) }
}
