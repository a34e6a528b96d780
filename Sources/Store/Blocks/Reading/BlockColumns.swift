import Columnar
import Records

/// Where the columns of a dataset lie in a block's file.
struct BlockColumns: Sendable {
  /// A column made of an object's member.
  struct Member: Sendable {
    let name: String
    let type: ColumnType
    /// Column of the file.
    let index: Int
    let restCount: Int
  }

  /// What a column of the file is read as where that is not what it holds.
  enum Form {
    /// Text of ids.
    case id
    /// Microseconds; the column of the nanoseconds beyond them.
    case time(rests: Int?)
  }

  /// Columns of the file by name of the schema's column; for an object its rest.
  let schema: [String: Int]
  /// By column of the file.
  private let forms: [Int: Form]
  /// By object column, in the file's order.
  let members: [String: [Member]]

  /// nil if the file, a block of `version`, lacks a column or has it with another type.
  init?(_ file: ParquetReader, schema: DatasetSchema, members: [MemberColumn], version: Int) {
    var places: [Name: Int] = [:]
    for (index, field) in file.fields.enumerated() { places[Name(field.name)] = index }
    var found: [String: Int] = [:]
    var forms: [Int: Form] = [:]
    for field in schema.fields {
      let stored = version < BlockIndex.openForms ? [field] : StoredForm.fields(of: field)
      let indices = stored.compactMap { part in
        places[Name(part.name)].flatMap { file.fields[$0].type == part.type ? $0 : nil }
      }
      guard indices.count == stored.count, let index = indices.first else { return nil }
      found[field.name] = index
      if stored[0].type == field.type { continue }
      forms[index] = field.type == .uuid ? .id : .time(rests: indices.count > 1 ? indices[1] : nil)
    }
    var byField: [String: [Member]] = [:]
    for member in members {
      guard let index = places[Name(member.physicalName)], file.fields[index].type == member.type,
        schema.field(member.field)?.type == .json
      else { return nil }
      byField[member.field, default: []].append(
        Member(name: member.member, type: member.type, index: index, restCount: member.restCount))
    }
    self.schema = found
    self.forms = forms
    self.members = byField
  }

  /// nil: read as it is.
  func form(of column: Int) -> Form? { forms[column] }

  /// Whether there is less to read of a column where its times may come rounded.
  func canBeRounded(_ column: Int) -> Bool {
    if case .time(.some) = forms[column] { true } else { false }
  }

  /// The column of the file for a column of the schema.
  func index(of name: String) -> Int {
    guard let index = schema[name] else { bug("a column of the schema") }
    return index
  }

  /// The columns of the file that hold what `path` leads to, or may hold it.
  func indices(of path: ColumnPath) -> [Int] {
    let own = index(of: path.column)
    guard let members = members[path.column] else { return [own] }
    guard let name = path.members.first else { return [own] + members.map(\.index) }
    let (found, mayBeInRest) = member(name, of: path.column)
    let isRead = path.members.count > 1 || mayBeInRest
    return found.map(\.index) + (isRead ? [own] : [])
  }

  /// The columns of one member, and whether the rest may hold values of that name too.
  func member(_ name: String, of field: String) -> (columns: [Member], mayBeInRest: Bool) {
    let columns = (members[field] ?? []).filter { $0.name.hasBytes(of: name) }
    return (columns, columns.first.map { $0.restCount > 0 } ?? true)
  }
}
