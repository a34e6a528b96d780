import Records

/// A predicate checked against a schema and made ready to run. Immutable; any number of threads may use it.
package struct CompiledPredicate: Sendable {
  /// What it was made of.
  package let predicate: Predicate
  /// Every column or member it reads, without repeats.
  package let paths: [ColumnPath]
  let root: PredicateNode
  /// Instructions of its text patterns.
  private let instructionCount: Int
  /// nil: it is asked once.
  let knownSplit: KnownSplit?

  /// - Throws: `.invalid` with a sentence: unknown column, type mismatch, broken pattern. On members, whose
  ///   types are known only row by row, a literal of another kind is no error: it does not match.
  ///
  /// - Parameter cancellation: Looked at before each text pattern is compiled, which may take milliseconds.
  package init(
    _ predicate: Predicate, schema: DatasetSchema, cancellation: CancellationToken? = nil
  ) throws(StoreError) {
    self.predicate = predicate
    var compiler = PredicateCompiler(schema, cancellation: cancellation)
    root = try compiler.compile(predicate)
    paths = compiler.paths
    instructionCount = compiler.instructionCount
    knownSplit = KnownSplit()
  }

  /// A part of `predicate` that matches the same rows as all of it where it is used.
  init(_ predicate: Predicate, root: PredicateNode) {
    self.predicate = predicate
    self.root = root
    paths = root.paths
    instructionCount = 0
    knownSplit = nil
  }

  /// - Throws: `.invalid` if the text patterns of several filters are larger together than one's may be.
  package static func check(_ filters: [CompiledPredicate]) throws(StoreError) {
    let count = filters.reduce(0) { $0 + $1.instructionCount }
    guard count <= PredicateCompiler.instructionsMax else { throw PredicateCompiler.tooLarge }
  }

  /// The rows of `batch` that match.
  package func evaluate(_ batch: EvaluationBatch) -> Selection {
    var rows = Selection(rowCount: batch.rowCount, all: true)
    PredicateEvaluation(batch: batch).narrow(&rows, by: root)
    return rows
  }

  /// The rows of `candidates` that match; cheaper than all when few are candidates.
  package func evaluate(_ batch: EvaluationBatch, among candidates: Selection) -> Selection {
    invariant(candidates.rowCount == batch.rowCount, "candidates of the batch")
    var rows = candidates
    PredicateEvaluation(batch: batch).narrow(&rows, by: root)
    return rows
  }
}
