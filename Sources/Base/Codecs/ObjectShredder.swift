import Records

/// Takes object columns apart into typed columns of frequent members and the JSON text of the rest.
///
/// The text is that of stored objects: checked, no white space, no name twice, canonical escapes. On other
/// text the result is of no use, but nothing traps. One pass over the text; about 50 ns a member.
package struct ObjectShredder: Sendable {
  /// Those that get columns.
  package let members: [ShredMember]
  /// `"name":` of each member, escapes as stored.
  private let patterns: [[UInt8]]
  private let slots: [Slot]
  /// Members by the hash of their quoted name; open addressing.
  private let table: [Int16]

  /// Where a member's values go, by type: index into the typed columns, or -1.
  private struct Slot: Sendable {
    var integer: Int16 = -1
    var float: Int16 = -1
    var text: Int16 = -1
    var bool: Int16 = -1
  }

  private let fixedTypes: [ColumnType]
  private let textCount: Int

  /// A shredder that has seen no object.
  package init(members: [ShredMember]) {
    invariant(members.count < 4096, "a member's number fits 16 bits")
    self.members = members
    var fixedTypes: [ColumnType] = []
    var textCount = 0
    slots = members.map { member in
      var slot = Slot()
      for type in member.types {
        switch type {
        case .utf8:
          slot.text = Int16(textCount)
          textCount += 1
          continue
        case .int64: slot.integer = Int16(fixedTypes.count)
        case .float64: slot.float = Int16(fixedTypes.count)
        case .bool: slot.bool = Int16(fixedTypes.count)
        case .uuid, .json, .timestamp: bug("a type of scalar members")
        }
        fixedTypes.append(type)
      }
      return slot
    }
    self.fixedTypes = fixedTypes
    self.textCount = textCount
    patterns = members.map { member in
      var writer = JSONWriter(capacity: 64)
      writer.appendString(member.name)
      writer.append(0x3A)
      return writer.takeBytes()
    }
    var size = 16
    while size < members.count * 4 { size *= 2 }
    var table = [Int16](repeating: -1, count: size)
    for (index, pattern) in patterns.enumerated() {
      // The quotes and the colon are not hashed.
      let hash = unsafe pattern.withUnsafeBufferPointer { bytes in
        unsafe bytes.baseAddress.map { unsafe KeyTable.hash($0 + 1, bytes.count - 3) } ?? 0
      }
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      while table[place] >= 0 { place = (place + 1) & (size - 1) }
      table[place] = Int16(index)
    }
    self.table = table
  }

  /// Takes a `json` column apart.
  package func shred(_ object: Column) -> ShreddedObject {
    invariant(object.type == .json, "an object column")
    let object = object.plainText()
    let work = ShredWork(self, rowCount: object.rowCount)
    object.withValidity { validity in
      object.withText { offsets, bytes in work.run(offsets, bytes, validity) }
    }
    return work.finish()
  }

  /// Where a row is being taken apart.
  private final class ShredWork {
    let shredder: ObjectShredder
    let rowCount: Int
    private var rest: SparseTexts
    private var fixed: [FixedSlot]
    private var texts: [TextSlot]
    private var restCounts: [Int]
    /// Per member (and before the first) the member that followed it last time.
    private var following: [Int]

    private final class FixedSlot {
      var values: SparseValues
      init(_ type: ColumnType, _ rowCount: Int) { values = SparseValues(type: type, rowCount: rowCount) }
    }

    private final class TextSlot {
      var texts: SparseTexts
      init(_ rowCount: Int) {
        texts = SparseTexts(type: .utf8, rowCount: rowCount, byteCapacity: rowCount * 16)
      }
    }

    init(_ shredder: ObjectShredder, rowCount: Int) {
      self.shredder = shredder
      self.rowCount = rowCount
      rest = SparseTexts(type: .json, rowCount: rowCount, byteCapacity: rowCount * 4)
      fixed = shredder.fixedTypes.map { FixedSlot($0, rowCount) }
      texts = (0..<shredder.textCount).map { _ in TextSlot(rowCount) }
      restCounts = [Int](repeating: 0, count: shredder.members.count)
      following = Array(0...shredder.members.count)
    }

    func run(_ offsets: Span<Int32>, _ bytes: Span<UInt8>, _ validity: Span<UInt8>?) {
      unsafe bytes.withUnsafeBufferPointer { text in
        guard let base = text.baseAddress else { return emptyRows(validity) }
        for row in 0..<rowCount {
          if let validity, validity[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
          let start = Int(offsets[row])
          let end = Int(offsets[row + 1])
          invariant(start >= 0 && start <= end && end <= text.count, "offsets lie within the text")
          unsafe shredRow(row, base + start, end - start)
        }
      }
    }

    /// Rows of a column without a byte of text: none is JSON, kept as they are.
    private func emptyRows(_ validity: Span<UInt8>?) {
      for row in 0..<rowCount {
        if let validity, validity[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
        _ = unsafe rest.open(row, 0)
        rest.endRow(row, count: 0)
      }
    }

    func finish() -> ShreddedObject {
      let columns = shredder.slots.indices.map { index in
        shredder.members[index].types.map { type in column(shredder.slots[index], type) }
      }
      return ShreddedObject(rest: rest.finish(), columns: columns, restCounts: restCounts)
    }

    private func column(_ slot: Slot, _ type: ColumnType) -> Column {
      switch type {
      case .int64: fixed[Int(slot.integer)].values.finish()
      case .float64: fixed[Int(slot.float)].values.finish()
      case .bool: fixed[Int(slot.bool)].values.finish()
      case .utf8: texts[Int(slot.text)].texts.finish()
      case .uuid, .json, .timestamp: bug("a type of scalar members")
      }
    }

    /// Takes the object of `count` bytes at `text` apart.
    @unsafe
    private func shredRow(_ row: Int, _ text: UnsafePointer<UInt8>, _ count: Int) {
      // Within bounds: what is left is at most what there was, and `{}`.
      let out = unsafe rest.open(row, count + 2)
      unsafe out[0] = 0x7B
      var used = 1
      var at = 1
      var previous = 0
      while at < count, unsafe text[at] == 0x22 {
        let keyStart = at
        var member = following[previous]
        if member < shredder.patterns.count, unsafe isPattern(member, text + at, count - at) {
          at += shredder.patterns[member].count
        } else {
          guard let colon = unsafe skipKey(text, at, count) else { break }
          member = unsafe find(text + at + 1, colon - at - 2)
          at = colon + 1
          if member >= 0 { following[previous] = member }
        }
        guard at < count else { break }
        let end = unsafe JSONScanner.skip(text, at, count)
        let isTaken = unsafe member >= 0 && take(member, row, text, at..<end)
        if member >= 0 {
          previous = member + 1
          if !isTaken { restCounts[member] += 1 }
        }
        if !isTaken {
          if used > 1 {
            unsafe out[used] = 0x2C
            used += 1
          }
          unsafe (out + used).update(from: text + keyStart, count: end - keyStart)
          used += end - keyStart
        }
        at = end
        if at < count, unsafe text[at] == 0x2C { at += 1 } else { break }
      }
      unsafe out[used] = 0x7D
      rest.endRow(row, count: used + 1)
    }

    @inline(__always)
    @unsafe
    private func isPattern(_ member: Int, _ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
      let pattern = shredder.patterns[member]
      let length = pattern.count
      guard length <= count else { return false }
      return unsafe pattern.withUnsafeBufferPointer { bytes in
        // Within bounds: both have `length` bytes.
        var index = 0
        while index &+ 8 <= length {
          let a = unsafe UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self)
          let b = unsafe UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: index, as: UInt64.self)
          if a != b { return false }
          index &+= 8
        }
        while index < length {
          if unsafe text[index] != bytes[index] { return false }
          index &+= 1
        }
        return true
      }
    }

    /// Where the colon behind the key at `start` is.
    @unsafe
    private func skipKey(_ text: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
      var at = start + 1
      while true {
        at = unsafe StringScan.nextEscape(text, at, count)
        guard at < count else { return nil }
        if unsafe text[at] == 0x22 { break }
        at += unsafe text[at] == 0x5C ? 2 : 1
      }
      guard at + 1 < count, unsafe text[at + 1] == 0x3A else { return nil }
      return at + 1
    }

    /// The member whose stored name has the `count` bytes at `key`, or -1.
    @unsafe
    private func find(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int {
      let mask = shredder.table.count - 1
      var place = unsafe Int(truncatingIfNeeded: KeyTable.hash(key, count)) & mask
      while shredder.table[place] >= 0 {
        let member = Int(shredder.table[place])
        let pattern = shredder.patterns[member]
        if pattern.count == count + 3,
          unsafe pattern[1..<count + 1].elementsEqual(UnsafeBufferPointer(start: key, count: count))
        {
          return member
        }
        place = (place + 1) & mask
      }
      return -1
    }

    /// Puts the value at `range` into its column; false if there is none for its type.
    @inline(__always)
    @unsafe
    private func take(
      _ member: Int, _ row: Int, _ text: UnsafePointer<UInt8>, _ range: Range<Int>
    ) -> Bool {
      let slot = shredder.slots[member]
      let start = unsafe text + range.lowerBound
      switch unsafe start[0] {
      case 0x22:
        guard slot.text >= 0, range.count >= 2 else { return false }
        let texts = texts[Int(slot.text)]
        let inside = range.count - 2
        let out = unsafe texts.texts.open(row, inside)
        // Within bounds: room for `inside` bytes, and what a string stands for is never longer.
        if unsafe StringScan.nextEscape(start + 1, 0, inside) == inside {
          unsafe out.update(from: start + 1, count: inside)
          texts.texts.endRow(row, count: inside)
        } else {
          texts.texts.endRow(row, count: unsafe Unescape.write(start + 1, inside, to: out))
        }
        return true
      case 0x2D, 0x30...0x39:
        guard slot.integer >= 0 || slot.float >= 0 else { return false }
        switch unsafe JSONNumber.typed(start, range.count) {
        case .int64(let value):
          guard slot.integer >= 0 else { return false }
          fixed[Int(slot.integer)].values.set(row, value)
        case .float64(let value):
          guard slot.float >= 0 else { return false }
          fixed[Int(slot.float)].values.set(row, value)
        case .other: return false
        }
        return true
      case 0x74, 0x66:
        guard slot.bool >= 0 else { return false }
        fixed[Int(slot.bool)].values.setBit(row, unsafe start[0] == 0x74)
        return true
      default: return false
      }
    }
  }
}
