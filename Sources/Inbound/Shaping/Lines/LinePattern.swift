import Codecs
import Matching
import Records

/// How a user's own lines are written: a regular expression whose named groups give columns of a record where
/// they have one of the names that loggers have for it (``RecordShape``), and members of `metadata` else.
package struct LinePattern: Sendable, Hashable {
  fileprivate let pattern: NamedPattern
  /// Of each group, the column it gives; nil: a member of its name.
  fileprivate let roles: [RecordShape.Role?]

  /// - Throws: `.invalid` with a sentence, as ``NamedPattern`` has it.
  package init(_ text: String) throws(StoreError) {
    pattern = try NamedPattern(text)
    var taken: Set<RecordShape.Role> = []
    roles = pattern.names.map { name in
      guard let role = RecordShape.role(named: name), taken.insert(role).inserted else { return nil }
      return role
    }
  }
}

extension ParsedLine {
  /// Reads a line that the pattern matches.
  ///
  /// - Returns: false: it does not match.
  mutating func read(_ text: Span<UInt8>, as lines: LinePattern, _ times: LineTimes) -> Bool {
    guard let captures = lines.pattern.captures(in: text) else { return false }
    message = 0..<text.count
    for (index, capture) in captures.enumerated() {
      guard let capture, !capture.isEmpty || lines.roles[index] == .message else { continue }
      guard let role = lines.roles[index] else {
        note(given: lines.pattern.names[index], capture, text)
        continue
      }
      switch role {
      case .message: message = capture
      case .time: readTime(text, capture, times)
      case .level: readLevel(text, capture)
      case .service: service = capture
      case .env: columns.append(("env", capture))
      case .trace: columns.append(("trace_id", capture))
      case .span: columns.append(("span_id", capture))
      }
    }
    return true
  }

  private mutating func readTime(_ text: Span<UInt8>, _ range: Range<Int>, _ times: LineTimes) {
    let part = text.extracting(range)
    var scan = LineScan(part)
    var clock = LineClock()
    time =
      clock.read(part, &scan) && scan.isAtEnd
      ? clock.epoch ?? times.nanoseconds(clock) : times.texts.nanoseconds(part)
    if time == nil { unreadTime = range }
  }

  /// Any word is one: who wrote the pattern says that it is a level.
  private mutating func readLevel(_ text: Span<UInt8>, _ range: Range<Int>) {
    let word = String(repairing: text.extracting(range))
    level = LevelName(word) ?? Int64(word).flatMap { LevelName($0, of: .any) }
    guard level.map({ !$0.rawValue.hasBytes(of: word) }) ?? true else { return }
    if level == nil { ownLevel = range } else { sentLevel = range }
  }
}
