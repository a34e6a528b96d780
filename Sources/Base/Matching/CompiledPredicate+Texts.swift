import Records
import Synchronization

extension CompiledPredicate {
  /// A condition on one text column that all rows must fulfil.
  package struct TextPart: Sendable {
    package let predicate: CompiledPredicate
    package let automaton: TextAutomaton
  }

  /// A predicate taken apart.
  package struct Split: Sendable {
    /// The conditions on the column.
    package let texts: [TextPart]
    /// What rows must fulfil besides them; nil: nothing.
    package let rest: CompiledPredicate?
  }

  /// What was taken apart, for those who ask again: each block of a scan does.
  final class KnownSplit: Sendable {
    fileprivate let known = Mutex<(column: Name, split: Split)?>(nil)
  }

  /// Takes the conditions on the text of `column` that all rows must fulfil out of the predicate, once for
  /// all who ask. What cannot be compiled any more, since the work is over, stays in the rest.
  ///
  /// - Parameter schema: That of which it was compiled.
  package func split(
    on column: String, schema: DatasetSchema, cancellation: CancellationToken?
  ) -> Split {
    let name = Name(column)
    if let known = knownSplit?.known.withLock({ $0 }), known.column == name { return known.split }
    let split = makeSplit(on: column, schema, cancellation)
    if !(cancellation?.isOver ?? false) { knownSplit?.known.withLock { $0 = (name, split) } }
    return split
  }

  private func makeSplit(
    on column: String, _ schema: DatasetSchema, _ cancellation: CancellationToken?
  ) -> Split {
    let conjunction = predicate.conjunction
    var texts: [TextPart] = []
    var others: [Predicate] = []
    for part in conjunction {
      guard part.isText(on: ColumnPath(column)),
        let compiled = conjunction.count == 1
          // A part of what was compiled compiles; if not, or if it is over, it is evaluated with the rest.
          ? self : try? CompiledPredicate(part, schema: schema, cancellation: cancellation),
        case .text(_, let automaton)? = compiled.requiredConditions.first
      else {
        others.append(part)
        continue
      }
      texts.append(TextPart(predicate: compiled, automaton: automaton))
    }
    if texts.isEmpty { return Split(texts: [], rest: self) }
    if others.isEmpty { return Split(texts: texts, rest: nil) }
    // See above.
    let rest = try? CompiledPredicate(.and(others), schema: schema, cancellation: cancellation)
    return Split(texts: texts, rest: rest ?? self)
  }
}

extension Predicate {
  /// Whether it is one condition on the text of `path`.
  fileprivate func isText(on path: ColumnPath) -> Bool {
    switch self {
    case .contains(let own, _, _), .word(let own, _), .regex(let own, _, _), .prefix(let own, _): own == path
    case .all, .none, .and, .or, .not, .compare, .isIn, .exists: false
    }
  }
}
