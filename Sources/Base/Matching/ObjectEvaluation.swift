import Records

/// Conditions on an object column or on a member of one.
struct ObjectEvaluation {
  let object: ObjectColumns
  /// Member names in UTF-8, from the outside in.
  let path: [[UInt8]]
  /// The typed columns that may hold the member.
  let columns: [Column]

  init(_ object: ObjectColumns, _ members: [String]) {
    self.object = object
    path = members.map { Array($0.utf8) }
    columns = object.members.filter {
      members.isEmpty || members.count == 1 && members[0].hasBytes(of: $0.name)
    }.map(\.column)
  }

  /// Drops the rows that do not match.
  func narrow(_ rows: inout Selection, by test: PredicateTest, _ cancellation: CancellationToken?) {
    if path.isEmpty, case .exists = test {
      object.rest.dropNulls(from: &rows)
      return
    }
    // Rows that typed columns prove need not be looked up in the rest.
    var open = rows
    for column in columns {
      if case .text = test, column.type != .utf8 { continue }
      var taken = open
      column.narrow(&taken, by: test, cancellation)
      open.subtract(taken)
    }
    var taken = open
    if !path.isEmpty {
      // A row that has the member in a column does not have it in the rest.
      for column in columns {
        var valued = taken
        column.dropNulls(from: &valued)
        taken.subtract(valued)
      }
    }
    object.rest.dropNulls(from: &taken)
    if !taken.isEmpty {
      object.rest.narrowText(&taken) { offsets, bytes, rows in
        filterRest(offsets, bytes, &rows, by: test, cancellation)
      }
    }
    open.subtract(taken)
    rows.subtract(open)
  }

  /// Of JSON between two looks at whether the work is over: a few milliseconds.
  private static let bytesLooked = 1 << 20

  /// Drops the rows whose JSON text has no value that passes.
  private func filterRest(
    _ offsets: Span<Int32>, _ bytes: Span<UInt8>, _ rows: inout Selection, by test: PredicateTest,
    _ cancellation: CancellationToken?
  ) {
    TextAutomaton.check(offsets, within: bytes.count)
    preselect(offsets, bytes, &rows, by: test)
    var kept = rows
    var scratch: [UInt8] = []
    var bytesUnseen = ObjectEvaluation.bytesLooked
    var isOver = false
    func check(_ passes: (Span<UInt8>, inout [UInt8]) -> Bool) {
      rows.forEach { row in
        if isOver { return }
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        bytesUnseen -= text.count
        if bytesUnseen < 0 {
          bytesUnseen = ObjectEvaluation.bytesLooked
          isOver = cancellation?.isOver ?? false
        }
        if !passes(text, &scratch) { kept.remove(row) }
      }
    }
    switch test {
    case .exists: check { text, _ in exists(text) }
    case .values(let test): check { text, scratch in passes(text, test, &scratch) }
    case .text(let automaton):
      automaton.withMatcher(cancellation) { matches in
        check { text, scratch in passes(text, &scratch, matches) }
      }
    }
    rows = kept
  }

  /// Drops rows whose text lacks a name or a literal that is needed. Text with a backslash may hold it
  /// escaped.
  private func preselect(
    _ offsets: Span<Int32>, _ bytes: Span<UInt8>, _ rows: inout Selection, by test: PredicateTest
  ) {
    var literals = path.map { name in
      LiteralFinder(Array(([0x22] + name + [0x22]).prefix(LiteralFinder.needleBytesMax)), ignoreCase: false)
    }
    if case .text(let automaton) = test, let literal = automaton.requiredLiteral { literals.append(literal) }
    guard !literals.isEmpty else { return }
    var escaped = rows
    LiteralScan(finder: LiteralFinder([0x5C], ignoreCase: false), isWholeWord: false)
      .filter(offsets: offsets, bytes: bytes, rows: &escaped)
    for literal in literals {
      LiteralScan(finder: literal, isWholeWord: false).filter(offsets: offsets, bytes: bytes, rows: &rows)
    }
    rows.formUnion(escaped)
  }

  private func exists(_ text: Span<UInt8>) -> Bool {
    guard let start = text.jsonValue(at: path) else { return false }
    let kind = text.jsonKind(at: start)
    return kind != .null && kind != .broken
  }

  private func passes(
    _ text: Span<UInt8>, _ scratch: inout [UInt8], _ matches: (Span<UInt8>) -> Bool
  ) -> Bool {
    guard let start = text.jsonValue(at: path) else { return false }
    if path.isEmpty { return text.anyJSONString(at: start, &scratch, matches) }
    return text.jsonKind(at: start) == .string && text.withJSONString(at: start, &scratch, matches)
  }

  private func passes(_ text: Span<UInt8>, _ test: ValueTest, _ scratch: inout [UInt8]) -> Bool {
    guard let start = text.jsonValue(at: path) else { return false }
    switch text.jsonKind(at: start) {
    case .object, .array, .null, .broken: return false
    case .yes: return test.passesTrue
    case .no: return test.passesFalse
    case .string:
      guard let wanted = test.text else { return false }
      return text.withJSONString(at: start, &scratch) { wanted.passes($0) }
    case .number:
      guard let numbers = test.numbers else { return false }
      return numbers.passes(json: text.extracting(start..<text.skipJSONValue(start)))
    }
  }
}
