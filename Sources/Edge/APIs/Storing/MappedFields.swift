import Records
import Routing
import Shaping

/// The parameters that say which members of loggers' objects give columns (Docs/shapes.md).
enum MappedFields {
  private static let onUnreadable = "on_unreadable"

  static let parameters: [RouteParameter] =
    FieldMapping.Column.allCases.map { column in
      .query(
        name(of: column), JSONSchema.text,
        "Members that give \(column.rawValue), commas between, before those that are known")
    } + [
      .query(
        onUnreadable, JSONSchema.choice("now", "refuse"), "What becomes of a record whose time cannot be read"
      )
    ]

  /// - Throws: 400: a list of names that is none.
  static func mapping(_ query: QueryItems) throws(Problem) -> FieldMapping {
    var mapping = FieldMapping()
    for column in FieldMapping.Column.allCases {
      guard let list = query[name(of: column)] else { continue }
      guard let fault = mapping.put(list, for: column) else { continue }
      throw Problem(400, "\(name(of: column)): \(fault).", field: name(of: column))
    }
    switch query[onUnreadable] {
    case nil, "now": break
    case "refuse": mapping.refusesUnreadTimes = true
    default: throw Problem(400, "\(onUnreadable) must be now or refuse.", field: onUnreadable)
    }
    return mapping
  }

  private static func name(of column: FieldMapping.Column) -> String { column.rawValue + "_field" }
}
