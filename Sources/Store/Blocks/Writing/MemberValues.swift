import Codecs
import Records

/// One member of an object column as a column of its own.
package enum MemberValues {
  /// The member in the form that ``OutputColumn`` promises.
  ///
  /// - Parameters:
  ///   - parts: Typed columns of the member; at most one has a value in a row.
  ///   - rest: The object's JSON text, looked at where no part has a value; nil if the member cannot be in
  ///     it.
  package static func column(
    _ output: OutputColumn, parts: [Column], rest: Column?, rowCount: Int
  ) -> Column {
    let type = output.type
    if rest == nil, parts.isEmpty { return .nulls(type: type, rowCount: rowCount) }
    if rest == nil, parts.count == 1 {
      let isInteger = output.isExact && parts[0].type == .int64
      let isNumber = output.isTallied && parts[0].type.isNumber
      if parts[0].type == type && type != .json || isInteger || isNumber { return parts[0] }
    }
    if parts.isEmpty, type != .json, let rest, let column = byValue(output, rest) { return column }
    let parts = parts.map { $0.plainText() }
    let rest = rest?.plainText()
    let path = output.path.members
    if type == .float64 {
      return output.isExact ? exact(parts, rest, path, rowCount) : numbers(parts, rest, path, rowCount)
    }
    return texts(parts, rest, path, isJSON: type == .json, rowCount)
  }

  /// Of objects of which many rows have the same: each is looked into once. nil: they have not.
  private static func byValue(_ output: OutputColumn, _ rest: Column) -> Column? {
    guard case .dictionary(let indices, let offsets, let bytes, let valueCount) = rest.storage,
      valueCount * 4 <= rest.rowCount
    else { return nil }
    let values = Column(
      type: rest.type, rowCount: valueCount, validity: nil, storage: .text(offsets: offsets, bytes: bytes))
    let found = column(output, parts: [], rest: values, rowCount: valueCount)
    let (isValid, isFound) = (rest.validRows, found.validRows)
    guard isFound.contains(true) else { return .nulls(type: found.type, rowCount: rest.rowCount) }
    return rest.withDictionary { keys, _, _ in
      let validity = Buffer(validRows: keys.indices.map { isValid[$0] && isFound[Int(keys[$0])] })
      let storage: Column.Storage
      switch found.storage {
      case .text(let offsets, let bytes):
        storage = .dictionary(indices: indices, offsets: offsets, bytes: bytes, valueCount: valueCount)
      case .fixed(let numbers):
        // Of eight bytes each, whichever numbers they are.
        storage = numbers.withSpan(of: UInt64.self) { numbers in
          .fixed(Buffer(copying: keys.indices.map { numbers[Int(keys[$0])] }))
        }
      case .dictionary: bug("values of a plain column are plain")
      }
      return Column(type: found.type, rowCount: rest.rowCount, validity: validity, storage: storage)
    }
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
      guard kind == .number else { return }
      (values[row], isSet[row]) = (JSONNumber.nearest(text.extracting(value)), true)
    }
    return Column(
      type: .float64, rowCount: rowCount, validity: Buffer(validRows: isSet),
      storage: .fixed(Buffer(copying: values)))
  }

  private static func exact(_ parts: [Column], _ rest: Column?, _ path: [String], _ rowCount: Int) -> Column {
    var numbers = ExactNumbers(rowCount: rowCount)
    for part in parts {
      let isValid = part.validRows
      switch part.type {
      case .int64: part.withInt64 { for row in $0.indices where isValid[row] { numbers.set(row, $0[row]) } }
      case .float64:
        part.withFloat64 { for row in $0.indices where isValid[row] { numbers.set(row, $0[row]) } }
      case .bool, .utf8, .uuid, .json, .timestamp: continue
      }
    }
    let isSet = (0..<rowCount).map { numbers.hasNumber($0) }
    forEachMember(of: rest, path, skipping: isSet) { row, text, value, kind in
      if kind == .number { numbers.set(row, text: text.extracting(value)) }
    }
    return numbers.finish()
  }

  private static func texts(
    _ parts: [Column], _ rest: Column?, _ path: [String], isJSON: Bool, _ rowCount: Int
  ) -> Column {
    // All texts lie in one buffer, in the order they are met.
    var writer = JSONWriter(capacity: rowCount * 8 + 64)
    var starts = [Int](repeating: -1, count: rowCount)
    var ends = starts
    for part in parts {
      let isValid = part.validRows
      for row in 0..<rowCount where isValid[row] {
        starts[row] = writer.byteCount
        part.appendText(row, isQuoted: isJSON, to: &writer)
        ends[row] = writer.byteCount
      }
    }
    var scratch: [UInt8] = []
    forEachMember(of: rest, path, skipping: starts.map { $0 >= 0 }) { row, text, value, kind in
      if kind == .null { return }
      starts[row] = writer.byteCount
      scratch.removeAll(keepingCapacity: true)
      if !isJSON, kind == .string {
        JSONScanner.appendUnescaped(text, value, to: &scratch)
        writer.append(raw: scratch)
      } else if !isJSON, kind == .number {
        JSONNumber.appendKey(of: text.extracting(value), to: &scratch)
        writer.append(raw: scratch)
      } else {
        writer.append(raw: text.extracting(value))
      }
      ends[row] = writer.byteCount
    }
    var builder = TextBuilder(capacity: rowCount)
    writer.withBytes { bytes in
      for row in 0..<rowCount {
        guard starts[row] >= 0 else {
          builder.appendNull()
          continue
        }
        builder.append(contentsOf: bytes.extracting(starts[row]..<ends[row]))
        builder.endRow()
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

  /// Appends a value of a member's column: quoted as JSON text, else as a key.
  fileprivate func appendText(_ row: Int, isQuoted: Bool, to writer: inout JSONWriter) {
    switch type {
    case .int64: withInt64 { writer.appendInt64($0[row]) }
    case .float64:
      withFloat64 {
        if isQuoted { writer.appendFloat64($0[row]) } else { JSONNumber.appendKey(of: $0[row], to: &writer) }
      }
    case .bool: withBits { writer.appendBool($0[row >> 3] & (1 << UInt8(row & 7)) != 0) }
    case .utf8:
      withText { offsets, bytes in
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        if isQuoted { writer.appendString(text) } else { writer.append(raw: text) }
      }
    case .uuid, .json, .timestamp: bug("a type of scalar members")
    }
  }
}
