import Records

/// A rule of masking: what is hidden.
package enum MaskingRule: Sendable, Hashable {
  /// The value of every member with this name, at any depth, and of the column of this name. ASCII case is
  /// ignored.
  case key(String)
}

/// What is masked in the records of one dataset, made ready for the decoders.
///
/// A masked value is replaced while the request is scanned: it never reaches a batch, so no file, answer or
/// log line can hold it. A string, number, object or whatever else becomes the string `****`; in a declared
/// column of another type than text it becomes null. `timestamp` is never masked.
package struct MaskingPlan: Sendable, Hashable {
  /// Stands for every masked value.
  package static let replacement = "****"

  /// Nothing is masked.
  package static let none = MaskingPlan(keys: [])

  /// Names whose values are masked: UTF-8, ASCII letters lower-case, sorted, distinct.
  package let keys: [[UInt8]]

  package var isEmpty: Bool { keys.isEmpty }

  /// Compiles `rules` for the records of `schema`. Names of columns that can never be masked are left out.
  package init(_ rules: [MaskingRule], for schema: DatasetSchema) {
    var names: Set<[UInt8]> = []
    for rule in rules {
      switch rule {
      case .key(let name): names.insert(MaskingPlan.folded(Array(name.utf8)))
      }
    }
    let fixed = schema.fields.filter { $0.type == .timestamp || $0.type == .uuid }
    for field in fixed { names.remove(MaskingPlan.folded(Array(field.name.utf8))) }
    self.init(keys: names.sorted { $0.lexicographicallyPrecedes($1) })
  }

  private init(keys: [[UInt8]]) { self.keys = keys }

  /// `name` with ASCII letters in lower case: how names are compared.
  package static func folded(_ name: [UInt8]) -> [UInt8] {
    name.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
  }
}
