import Codecs
import Records

/// Where the parts of a row frame lie, as ranges of the frame's bytes. Built only from a body whose parts
/// fit.
struct FrameLayout {
  struct ColumnRanges {
    var validity: Range<Int>?
    /// Values or bits of a fixed column, offsets of a text column.
    var values: Range<Int>
    /// The text of a text column.
    var text: Range<Int>?
  }

  /// For each declared field; nil: no row has a value.
  let columns: [ColumnRanges?]

  /// nil: the sizes do not add up. Reads the last offset of each text column, nothing else.
  init?(header: FrameHeader, frame: Buffer, fields: [Field]) {
    guard header.rowCount > 0, header.rowCount < Int(Int32.max) else { return nil }
    let known: UInt32 = fields.count >= 32 ? .max : (1 << UInt32(fields.count)) - 1
    guard header.columnsWithValues & ~known == 0,
      header.columnsWithValidity & ~header.columnsWithValues == 0
    else { return nil }
    var columns: [ColumnRanges?] = []
    columns.reserveCapacity(fields.count)
    var at = header.columnsStart
    /// The next part of `bytes` bytes; nil if the frame is too short.
    func take(_ bytes: Int) -> Range<Int>? {
      guard bytes <= header.frameBytes - at else { return nil }
      let range = at..<at + bytes
      at = (at + bytes + 7) & ~7
      return range
    }
    let bitmapBytes = (header.rowCount + 7) / 8
    for (index, field) in fields.enumerated() {
      guard header.columnsWithValues >> UInt32(index) & 1 == 1 else {
        columns.append(nil)
        continue
      }
      var validity: Range<Int>?
      if header.columnsWithValidity >> UInt32(index) & 1 == 1 {
        guard let range = take(bitmapBytes) else { return nil }
        validity = range
      }
      let valueBytes =
        field.type.isText
        ? (header.rowCount + 1) * 4 : field.type.fixedWidth.map { $0 * header.rowCount } ?? bitmapBytes
      guard let values = take(valueBytes) else { return nil }
      var text: Range<Int>?
      if field.type.isText {
        let last = frame.slice(values.upperBound - 4..<values.upperBound).withSpan(of: Int32.self) { $0[0] }
        guard last >= 0, let range = take(Int(last)) else { return nil }
        text = range
      }
      columns.append(ColumnRanges(validity: validity, values: values, text: text))
    }
    guard at == header.frameBytes else { return nil }
    self.columns = columns
  }

  /// Whether the offsets of every text column start at 0 and never fall, so that no reader meets a text
  /// outside its column.
  func hasRisingOffsets(in frame: Buffer) -> Bool {
    for case let column? in columns where column.text != nil {
      let rises = frame.slice(column.values).withSpan(of: Int32.self) { offsets -> Bool in
        if offsets[0] != 0 { return false }
        var falls = false
        for index in 1..<offsets.count { falls = falls || offsets[index] < offsets[index - 1] }
        return !falls
      }
      if !rises { return false }
    }
    return true
  }
}

/// A request's part in a row frame.
struct RequestPart {
  var rowCount: Int
  /// 16 bytes.
  var firstID: [UInt8]
  /// The key entry's bytes within the frame, if there is one.
  var key: Range<Int>?
}

extension FrameHeader {
  /// The tenant, or nil if the realm or the name is none.
  func tenant(in frame: Buffer, registry: Registry) -> Tenant? {
    guard let realm = registry.realm(code: realm) else { return nil }
    return Self.tenant(realm, name: frame.slice(Self.byteCount..<Self.byteCount + nameBytes))
  }

  static func tenant(_ realm: Realm, name: Buffer) -> Tenant? {
    let name = name.withSpan(of: UInt8.self) { span in
      String(validating: span.array(0..<span.count), as: UTF8.self)
    }
    guard let name, Tenant.isValid(name: name) else { return nil }
    return Tenant(realm: realm, name: name)
  }

  /// The request list of a row frame; nil if it is broken or does not cover the rows.
  func requestParts(in frame: Buffer) -> [RequestPart]? {
    let start = Self.byteCount + nameBytes
    return frame.slice(0..<columnsStart).withSpan(of: UInt8.self) { span -> [RequestPart]? in
      var parts: [RequestPart] = []
      var at = start
      var rows = 0
      let end = start + requestBytes
      while at < end {
        guard end - at >= 24 else { return nil }
        let count = Int(span.littleEndian32(at))
        let keyBytes = Int(span.littleEndian32(at + 4))
        guard count > 0, keyBytes <= end - at - 24 else { return nil }
        let key = keyBytes > 0 ? at + 24..<at + 24 + keyBytes : nil
        parts.append(RequestPart(rowCount: count, firstID: span.array(at + 8..<at + 24), key: key))
        rows += count
        at += 24 + keyBytes
      }
      guard rows == rowCount, parts.count == requestCount else { return nil }
      return parts
    }
  }

  /// The idempotency keys a frame of either kind holds; nil if it is broken.
  func keyEntries(
    in frame: Buffer, tenant: Tenant?, registry: Registry
  ) -> [(key: ScopedKey, entry: KeyEntry)]? {
    if kind == .rows {
      guard let tenant, let parts = requestParts(in: frame) else { return nil }
      var entries: [(key: ScopedKey, entry: KeyEntry)] = []
      for case let range? in parts.lazy.map(\.key) {
        let entry = frame.slice(range).withSpan(of: UInt8.self) { KeyEntry.read($0, tenant: tenant) }
        guard let entry else { return nil }
        entries.append(entry)
      }
      return entries
    }
    return carriedEntries(in: frame, registry)
  }

  private func carriedEntries(
    in frame: Buffer, _ registry: Registry
  ) -> [(key: ScopedKey, entry: KeyEntry)]? {
    guard nameBytes == 0, rowCount == 0 else { return nil }
    var entries: [(key: ScopedKey, entry: KeyEntry)] = []
    var at = Self.byteCount
    let end = at + requestBytes
    while at < end {
      guard end - at >= 8 else { return nil }
      let (realm, name, bytes) = frame.slice(at..<at + 8).withSpan(of: UInt8.self) {
        (registry.realm(code: $0[0]), Int($0[2]) | Int($0[3]) << 8, Int($0.littleEndian32(4)))
      }
      guard let realm, name + bytes <= end - at - 8,
        let tenant = Self.tenant(realm, name: frame.slice(at + 8..<at + 8 + name))
      else { return nil }
      let entry = frame.slice(at + 8 + name..<at + 8 + name + bytes).withSpan(of: UInt8.self) {
        KeyEntry.read($0, tenant: tenant)
      }
      guard let entry else { return nil }
      entries.append(entry)
      at += 8 + name + bytes
    }
    return entries.count == requestCount ? entries : nil
  }
}
