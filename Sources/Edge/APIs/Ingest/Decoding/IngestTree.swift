import Codecs
import Decoding
import Masking
import Records

/// A body of the ingest API read as a tree: every fault in the words of pydantic, in the order of its fields,
/// or the batch.
struct IngestTree {
  private let limits: IngestLimits
  private let masking: MaskingPlan
  private var faults = ValidationFaults()
  private var counts: [Int]
  private var failedCount = 0
  private var rows = IngestRows()

  init(_ limits: IngestLimits, masking: MaskingPlan) {
    self.limits = limits
    self.masking = masking
    counts = [Int](repeating: 0, count: masking.ruleNames.count + 1)
  }

  mutating func read(_ body: [UInt8]) throws(ValidationFailure) -> IngestBatch {
    guard body.count <= limits.batchBytesMax + IngestDecoder.otherBytesMax else { throw batchTooLarge }
    let text = IngestScan.start(body.span) == 0 ? body : Array(body.dropFirst(3))
    guard case .object(let members) = try IngestTree.parse(text) else { throw ValidationFailure.notAnObject }
    let place: [ValidationPlace] = [.name("body"), .name("entries")]
    switch IngestTree.last("entries", of: members) {
    case .array(let items)?: try read(items, sizes: IngestTree.entrySizes(text), at: place)
    case nil: faults.add(place, "missing", "Field required")
    default: faults.add(place, "list_type", "Input should be a valid list")
    }
    let key = idempotencyKey(IngestTree.last("idempotency_key", of: members))
    try faults.check()
    return IngestBatch(
      records: rows.finish(), idempotencyKey: key, maskedCounts: masking.counts(counts),
      maskingFailedCount: failedCount)
  }

  private static func parse(_ text: [UInt8]) throws(ValidationFailure) -> JSONTree {
    guard !text.isEmpty else { throw ValidationFailure.noBody }
    do throws(JSONTree.SyntaxError) { return try JSONTree(lenientlyParsing: text) } catch {
      // Places are counted in characters.
      let offset = text.prefix(error.offsetBytes).count { $0 & 0xC0 != 0x80 }
      throw ValidationFailure.notJSON(at: offset, [ValidationContext("error", .text(error.reason))])
    }
  }

  private static func last(_ name: String, of members: [JSONTree.Member]) -> JSONTree? {
    members.last { $0.name == name }?.value
  }

  /// Bytes of each element of the last member `entries` in a valid body.
  private static func entrySizes(_ text: [UInt8]) -> [Int] {
    let span = text.span
    var sizes: [Int] = []
    var members = JSONMembers(span)
    while members.next(span) {
      guard members.keyEquals(span, Array("entries".utf8)) else { continue }
      sizes = []
      guard members.kind == .array else { continue }
      var elements = JSONElements(span, array: members.value.lowerBound)
      while elements.next(span) { sizes.append(elements.value.count) }
    }
    return sizes
  }

  private mutating func read(
    _ items: [JSONTree], sizes: [Int], at place: [ValidationPlace]
  ) throws(ValidationFailure) {
    precondition(sizes.count == items.count, "both count the same entries")
    // Faults of the list as a whole stand where the original has them: one level down.
    let whole = place + [.name("entries")]
    guard items.count <= limits.entriesMax else {
      throw ValidationFailure(
        whole, "too_long",
        "List should have at most \(ValidationFaults.count(limits.entriesMax, "item")) after validation, "
          + "not \(items.count)",
        [
          ValidationContext("field_type", .text("List")),
          ValidationContext("max_length", .number(limits.entriesMax)),
          ValidationContext("actual_length", .number(items.count)),
        ])
    }
    for (index, item) in items.enumerated() {
      read(item, sizeBytes: sizes[index], at: place + [.index(index)])
      if faults.isFull { break }
    }
    guard faults.isEmpty else { return }
    if items.isEmpty {
      faults.add(
        whole, "too_short", "List should have at least 1 item after validation, not 0",
        [
          ValidationContext("field_type", .text("List")), ValidationContext("min_length", .number(1)),
          ValidationContext("actual_length", .number(0)),
        ])
    } else if sizes.reduce(0, +) > limits.batchBytesMax {
      throw batchTooLarge
    }
  }

  private var batchTooLarge: ValidationFailure {
    var faults = ValidationFaults()
    faults.addValueError(
      [.name("body"), .name("entries"), .name("entries")],
      "Batch size exceeds \(ValidationFaults.size(limits.batchBytesMax)) limit")
    return ValidationFailure(faults.errors)
  }

  private mutating func idempotencyKey(_ value: JSONTree?) -> String? {
    guard let value, value != .null else { return nil }
    return faults.text(
      value, at: [.name("body"), .name("idempotency_key")],
      0...IngestDecoder.idempotencyKeyCharactersMax)
  }

  // MARK: Entries

  private mutating func read(_ item: JSONTree, sizeBytes: Int, at place: [ValidationPlace]) {
    guard case .object(let members) = item else {
      return faults.add(
        place, ValidationFailure.notAnObjectType, ValidationFailure.notAnObjectMessage)
    }
    guard sizeBytes <= limits.entryBytesMax else {
      return faults.addValueError(
        place, "Entry size exceeds \(ValidationFaults.size(limits.entryBytesMax)) limit")
    }
    guard members.count <= limits.membersMax else {
      return faults.addValueError(place, "An object may have at most \(limits.membersMax) members")
    }
    let before = faults.errors.count
    var record = RecordMasking(masking)
    var row = IngestRow()
    var sent: [String] = []
    for field in Dataset.logs.schema.declaredFields {
      if members.contains(where: { $0.name == field.name }) { sent.append(field.name) }
    }
    func value(_ name: String) -> JSONTree? { IngestTree.last(name, of: members) }
    func at(_ name: String) -> [ValidationPlace] { place + [.name(name)] }
    row.time = time(value("timestamp"), at("timestamp"))
    row.texts[0] = level(value("level"), at("level"), &record)
    row.texts[1] = text(
      "message", value("message"), at("message"), 1...IngestDecoder.messageCharactersMax, &record)
    row.texts[2] = slug(
      "service", value("service"), at("service"), IngestDecoder.serviceCharactersMax, &record)
    row.texts[3] = slug("env", value("env"), at("env"), IngestDecoder.envCharactersMax, &record)
    row.texts[6] = labels(value("labels"), at("labels"), &record)
    row.texts[4] = optional(
      "trace_id", value("trace_id"), at("trace_id"), IngestDecoder.traceCharactersMax, &record)
    row.texts[5] = optional(
      "span_id", value("span_id"), at("span_id"), IngestDecoder.spanCharactersMax, &record)
    row.texts[7] = metadata(value("metadata"), at("metadata"), &record)
    guard faults.errors.count == before else { return }
    if record.isOverBound {
      giveUp(&row, sent)
    } else {
      for rule in record.applied { counts[Int(rule)] += 1 }
    }
    rows.append(row)
  }

  /// What is left of an entry whose masking hit its bound: when and where it is from.
  private mutating func giveUp(_ row: inout IngestRow, _ sent: [String]) {
    failedCount += 1
    let isHidden = IngestRows.names.map { masking.rule(forKey: $0) != 0 }
    for index in 0..<6 where row.texts[index] != nil {
      let isClosed = index == 0 || index == 2 || index == 3
      if !isClosed || isHidden[index] { row.texts[index] = MaskingFailure.text }
    }
    row.texts[6] = nil
    row.texts[7] = String(decoding: MaskingFailure.object(sent.map { Array($0.utf8) }), as: UTF8.self)
  }

  /// 0 with a fault.
  private mutating func time(_ value: JSONTree?, _ place: [ValidationPlace]) -> Int64 {
    guard let value else {
      _ = faults.missing(place)
      return 0
    }
    return faults.time(value, at: place, takesDates: true) ?? 0
  }

  private mutating func level(
    _ value: JSONTree?, _ place: [ValidationPlace], _ record: inout RecordMasking
  ) -> String? {
    guard let value else { return faults.missing(place) }
    guard case .string(let text) = value, IngestDecoder.levels.contains(text) else {
      return faults.choice(place, IngestDecoder.levels)
    }
    return record.column("level", text)
  }

  private mutating func text(
    _ name: String, _ value: JSONTree?, _ place: [ValidationPlace], _ range: ClosedRange<Int>,
    _ record: inout RecordMasking
  ) -> String? {
    guard let value else { return faults.missing(place) }
    return faults.text(value, at: place, range).map { record.column(name, $0) }
  }

  private mutating func slug(
    _ name: String, _ value: JSONTree?, _ place: [ValidationPlace], _ most: Int, _ record: inout RecordMasking
  ) -> String? {
    guard let value else { return faults.missing(place) }
    guard let text = faults.text(value, at: place, 1...most) else { return nil }
    guard text.utf8.allSatisfy({ $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D }) else {
      return faults.pattern(place, "^[a-z0-9-]+$")
    }
    return record.column(name, text)
  }

  private mutating func optional(
    _ name: String, _ value: JSONTree?, _ place: [ValidationPlace], _ most: Int, _ record: inout RecordMasking
  ) -> String? {
    guard let value, value != .null else { return nil }
    return faults.text(value, at: place, 0...most).map { record.column(name, $0) }
  }

  /// The members of an optional object, none twice; nil: null, or a fault that was noted.
  private mutating func object(_ value: JSONTree?, _ place: [ValidationPlace]) -> [JSONTree.Member]? {
    switch value {
    case nil, .null?: return nil
    case .array(let elements)? where elements.isEmpty: return []
    case .object? where value?.isWithin(limits) == false:
      faults.addValueError(
        place,
        "An object may have at most \(limits.membersMax) members, with names of \(limits.keyBytesMax) bytes")
      return nil
    case .object(let members)?: return members
    case .some:
      faults.add(place, "dict_type", "Input should be a valid dictionary")
      return nil
    }
  }

  private mutating func labels(
    _ value: JSONTree?, _ place: [ValidationPlace], _ record: inout RecordMasking
  ) -> String? {
    guard let sent = object(value, place) else { return nil }
    let before = faults.errors.count
    guard case .object(let members) = JSONTree.object(sent).withDistinctNames else { return nil }
    guard members.allSatisfy({ IngestDecoder.labelKeys.contains($0.name) }) else {
      let list = IngestDecoder.labelKeys.map { "'\($0)'" }.joined(separator: ", ")
      faults.addValueError(place, "Label key not in allowed list: {\(list)}")
      return nil
    }
    for member in members {
      let text = faults.text(member.value, at: place + [.name(member.name)], 0...Int.max)
      if let text, text.unicodeScalars.count > IngestDecoder.labelCharactersMax {
        faults.addValueError(
          place,
          "Label value for '\(member.name)' exceeds \(IngestDecoder.labelCharactersMax) character limit")
      }
    }
    guard faults.errors.count == before else { return nil }
    return masked("labels", sent, &record)
  }

  private mutating func metadata(
    _ value: JSONTree?, _ place: [ValidationPlace], _ record: inout RecordMasking
  ) -> String? {
    guard let sent = object(value, place) else { return nil }
    let tree = JSONTree.object(sent).withDistinctNames
    guard tree.depth <= IngestDecoder.metadataDepthMax else {
      faults.addValueError(
        place, "Metadata nesting too deep (max \(IngestDecoder.metadataDepthMax) levels)")
      return nil
    }
    guard !tree.hasNUL else {
      faults.addValueError(place, ValidationFaults.nul)
      return nil
    }
    return masked("metadata", sent, &record)
  }

  private func masked(_ name: String, _ members: [JSONTree.Member], _ record: inout RecordMasking) -> String?
  {
    let rule = masking.rule(forKey: name)
    guard rule == 0 else {
      record.note(rule)
      return nil
    }
    return record.value(.object(members)).withDistinctNames.text
  }
}

extension JSONTree {
  /// Containers in containers, this one counted; 0 for a scalar.
  fileprivate var depth: Int {
    switch self {
    case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
    case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
    case .null, .bool, .int64, .float64, .number, .string: 0
    }
  }

  /// Whether no object in it has too many members or too long a name.
  fileprivate func isWithin(_ limits: IngestLimits) -> Bool {
    switch self {
    case .object(let members):
      members.count <= limits.membersMax
        && members.allSatisfy { $0.name.utf8.count <= limits.keyBytesMax && $0.value.isWithin(limits) }
    case .array(let elements): elements.allSatisfy { $0.isWithin(limits) }
    case .null, .bool, .int64, .float64, .number, .string: true
    }
  }
}
