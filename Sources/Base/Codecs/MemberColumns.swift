import Records

/// Members of object columns as columns of their own, the way ``OutputColumn`` promises them.
package enum MemberColumns {
  /// The member `path` names (from the outside in) of each object in `objects`, a `json` column.
  ///
  /// - Parameter type: `utf8`: scalars as text, strings without quotes; `float64`: numbers; `json`: the JSON
  ///   text of any value. Rows without the member, with a JSON null or with a value of another kind are null.
  ///   Traps on other types.
  package static func extract(_ objects: Column, path: [String], type: ColumnType) -> Column {
    invariant(objects.type == .json, "members are those of an object column")
    let names = path.map { Array($0.utf8) }
    switch type {
    case .utf8, .json: return text(objects, names, type)
    case .float64: return numbers(objects, names)
    case .int64, .bool, .uuid, .timestamp: bug("a member is text, a number or JSON")
    }
  }

  /// Calls `body` once a row with the object's text and the member found in it, or nil for a null row.
  private static func forEach(
    _ objects: Column, _ names: [[UInt8]],
    _ body: (Span<UInt8>, (value: Range<Int>, kind: JSONKind)?) -> Void
  ) {
    let plain = objects.plainText()
    plain.withValidity { bits in
      plain.withText { offsets, bytes in
        for row in 0..<plain.rowCount {
          let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
          var isNull = false
          if let bits { isNull = bits[row >> 3] & (1 << UInt8(row & 7)) == 0 }
          body(text, isNull ? nil : JSONScanner.member(text, path: names))
        }
      }
    }
  }

  private static func text(_ objects: Column, _ names: [[UInt8]], _ type: ColumnType) -> Column {
    var builder = TextBuilder(capacity: objects.rowCount)
    var unescaped: [UInt8] = []
    forEach(objects, names) { text, member in
      guard let member, member.kind != .null else { return builder.appendNull() }
      if type == .utf8, member.kind == .object || member.kind == .array { return builder.appendNull() }
      if type == .utf8, member.kind == .string {
        unescaped.removeAll(keepingCapacity: true)
        JSONScanner.appendUnescaped(text, member.value, to: &unescaped)
        builder.append(contentsOf: unescaped.span)
      } else {
        builder.append(contentsOf: text.extracting(member.value))
      }
      builder.endRow()
    }
    return builder.finish(type: type)
  }

  private static func numbers(_ objects: Column, _ names: [[UInt8]]) -> Column {
    var builder = FixedBuilder<Double>(capacity: objects.rowCount)
    forEach(objects, names) { text, member in
      guard let member, member.kind == .number,
        let value = JSONNumber.double(text.extracting(member.value))
      else { return builder.appendNull(placeholder: 0) }
      builder.append(value)
    }
    return builder.finish(type: .float64)
  }
}
