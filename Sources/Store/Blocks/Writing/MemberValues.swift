import Codecs
import Records

/// One member of an object column as a column of its own.
package enum MemberValues {
  /// The member as `type` (see ``OutputColumn/type``): `utf8` (scalars as JSON text, strings unquoted),
  /// `float64` (numbers) or `json` (JSON text). Null where it is missing, null, or of a kind the type cannot
  /// say.
  ///
  /// - Parameters:
  ///   - parts: Typed columns of the member; at most one has a value in a row.
  ///   - rest: The object's JSON text, looked at where no part has a value; nil if the member cannot be in
  ///     it.
  ///   - path: Member names from the outside in, at least one.
  package static func column(
    parts: [Column], rest: Column?, path: [String], type: ColumnType, rowCount: Int
  ) -> Column {
    if rest == nil, parts.isEmpty { return .nulls(type: type, rowCount: rowCount) }
    if rest == nil, parts.count == 1, parts[0].type == type, type != .json { return parts[0] }
    let parts = parts.map { $0.plainText() }
    let rest = rest?.plainText()
    if type == .float64 { return numbers(parts, rest, path, rowCount) }
    return texts(parts, rest, path, isJSON: type == .json, rowCount)
  }

  private static func numbers(
    _ parts: [Column], _ rest: Column?, _ path: [String], _ rowCount: Int
  ) -> Column {
    var values = [Double](repeating: 0, count: rowCount)
    var isSet = [Bool](repeating: false, count: rowCount)
    for part in parts {
      let isValid = part.validRows
      switch part.type {
      case .int64:
        part.withInt64 { source in
          for row in source.indices where isValid[row] {
            (values[row], isSet[row]) = (Double(source[row]), true)
          }
        }
      case .float64:
        part.withFloat64 { source in
          for row in source.indices where isValid[row] { (values[row], isSet[row]) = (source[row], true) }
        }
      case .bool, .utf8, .uuid, .json, .timestamp:
        // Not a number: the row has no other value of this name.
        continue
      }
    }
    forEachMember(of: rest, path, skipping: isSet) { row, text, value, kind in
      guard kind == .number, let number = JSONNumber.double(text.extracting(value)) else { return }
      (values[row], isSet[row]) = (number, true)
    }
    return Column(
      type: .float64, rowCount: rowCount, validity: Buffer(bits: isSet),
      storage: .fixed(Buffer(copying: values)))
  }

  private static func texts(
    _ parts: [Column], _ rest: Column?, _ path: [String], isJSON: Bool, _ rowCount: Int
  ) -> Column {
    var texts = [[UInt8]?](repeating: nil, count: rowCount)
    for part in parts {
      let isValid = part.validRows
      for row in 0..<rowCount where isValid[row] { texts[row] = part.jsonText(row, isQuoted: isJSON) }
    }
    forEachMember(of: rest, path, skipping: texts.map { $0 != nil }) { row, text, value, kind in
      switch kind {
      case .null: return
      case .object, .array: if !isJSON { return }
      case .string:
        if !isJSON {
          var plain: [UInt8] = []
          JSONScanner.appendUnescaped(text, value, to: &plain)
          texts[row] = plain
          return
        }
      case .number, .true, .false: break
      }
      texts[row] = value.map { text[$0] }
    }
    var builder = TextBuilder(capacity: rowCount)
    for text in texts {
      if let text {
        builder.append(contentsOf: text.span)
        builder.endRow()
      } else {
        builder.appendNull()
      }
    }
    return builder.finish(type: isJSON ? .json : .utf8)
  }

  /// Calls `body` for each row, but those skipped, whose object has the member.
  private static func forEachMember(
    of rest: Column?, _ path: [String], skipping: [Bool],
    _ body: (Int, Span<UInt8>, Range<Int>, JSONKind) -> Void
  ) {
    guard let rest else { return }
    let names = path.map { Array($0.utf8) }
    rest.withText { offsets, bytes in
      for row in 0..<rest.rowCount where !skipping[row] {
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        // The shortest object with a member is {"":0}; null has no text.
        guard text.count >= 6, let (value, kind) = JSONScanner.member(text, path: names) else { continue }
        body(row, text, value, kind)
      }
    }
  }
}

extension Column {
  /// Which rows have a value.
  var validRows: [Bool] {
    withValidity { bits in
      guard let bits else { return [Bool](repeating: true, count: rowCount) }
      return (0..<rowCount).map { bits[$0 >> 3] & (1 << UInt8($0 & 7)) != 0 }
    }
  }

  /// A value of a member's column as JSON text, strings with quotes or as they are.
  fileprivate func jsonText(_ row: Int, isQuoted: Bool) -> [UInt8] {
    var writer = JSONWriter(capacity: 64)
    switch type {
    case .int64: withInt64 { writer.appendInt64($0[row]) }
    case .float64: withFloat64 { writer.appendFloat64($0[row]) }
    case .bool: withBits { writer.appendBool($0[row >> 3] & (1 << UInt8(row & 7)) != 0) }
    case .utf8:
      withText { offsets, bytes in
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        if isQuoted { writer.appendString(text) } else { writer.append(raw: text) }
      }
    case .uuid, .json, .timestamp: bug("a type of scalar members")
    }
    return writer.takeBytes()
  }
}

extension Buffer {
  /// A validity bitmap; nil when all bits are set.
  init?(bits: [Bool]) {
    if bits.allSatisfy({ $0 }) { return nil }
    var bytes = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
    for (row, bit) in bits.enumerated() where bit { bytes[row >> 3] |= 1 << UInt8(row & 7) }
    self.init(copying: bytes)
  }
}
