import Records

/// Members of object columns as columns of their own, the way ``OutputColumn`` promises them.
package enum MemberColumns {
  /// The member `output` names of each object in `objects`, a `json` column, in the form that
  /// ``OutputColumn`` promises. Traps on other types.
  package static func extract(_ objects: Column, _ output: OutputColumn) -> Column {
    invariant(objects.type == .json, "members are those of an object column")
    let names = output.path.members.map { Array($0.utf8) }
    switch output.type {
    case .utf8, .json: return text(objects, names, output.type)
    case .float64: return output.isExact ? exact(objects, names) : numbers(objects, names)
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
      if type == .utf8, member.kind == .string {
        unescaped.removeAll(keepingCapacity: true)
        JSONScanner.appendUnescaped(text, member.value, to: &unescaped)
        builder.append(contentsOf: unescaped.span)
      } else {
        let value = text.extracting(member.value)
        if type == .utf8, member.kind == .number, !JSONNumber.isKey(value) {
          unescaped.removeAll(keepingCapacity: true)
          JSONNumber.appendKey(of: value, to: &unescaped)
          builder.append(contentsOf: unescaped.span)
        } else {
          builder.append(contentsOf: value)
        }
      }
      builder.endRow()
    }
    return builder.finish(type: type)
  }

  private static func numbers(_ objects: Column, _ names: [[UInt8]]) -> Column {
    var builder = FixedBuilder<Double>(capacity: objects.rowCount)
    forEach(objects, names) { text, member in
      guard let member, member.kind == .number else { return builder.appendNull(placeholder: 0) }
      builder.append(JSONNumber.nearest(text.extracting(member.value)))
    }
    return builder.finish(type: .float64)
  }

  private static func exact(_ objects: Column, _ names: [[UInt8]]) -> Column {
    var numbers = ExactNumbers(rowCount: objects.rowCount)
    var row = 0
    forEach(objects, names) { text, member in
      if let member, member.kind == .number { numbers.set(row, text: text.extracting(member.value)) }
      row += 1
    }
    return numbers.finish()
  }
}
