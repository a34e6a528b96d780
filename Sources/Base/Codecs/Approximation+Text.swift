import Records

extension Approximation {
  /// The bound as answers write it: a JSON number; nil: there is none.
  package var boundText: String? { errorBound.map { JSONNumber.formatPlain($0) } }
}
