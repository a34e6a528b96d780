import Codecs
import Decoding
import Masking
import Records

/// Entries of the ingest API read as trees, one at a time: every fault in the words of pydantic, in the order
/// of its fields, or the row.
struct IngestTree {
  private let limits: IngestLimits
  private let masking: MaskingPlan
  /// Of all entries so far.
  var faults = ValidationFaults()
  /// How often each rule hid a value.
  private(set) var counts: [Int]
  /// Entries whose content was given up because masking hit its bound.
  private(set) var failedCount = 0

  init(_ limits: IngestLimits, masking: MaskingPlan) {
    self.limits = limits
    self.masking = masking
    counts = [Int](repeating: 0, count: masking.ruleNames.count + 1)
  }

  private static func last(_ name: String, of members: [JSONTree.Member]) -> JSONTree? {
    members.last { $0.name.hasBytes(of: name) }?.value
  }

  mutating func idempotencyKey(_ value: JSONTree?) -> String? {
    guard let value, value != .null else { return nil }
    return faults.text(
      value, at: [.name("body"), .name("idempotency_key")],
      0...IngestDecoder.idempotencyKeyCharactersMax)
  }

  /// Notes that an element is no object.
  mutating func refuseKind(at place: [ValidationPlace]) {
    faults.add(place, ValidationFailure.notAnObjectType, ValidationFailure.notAnObjectMessage)
  }

  /// Whether an entry of so many bytes is read at all; else a fault is noted.
  mutating func takes(sizeBytes: Int, at place: [ValidationPlace]) -> Bool {
    if sizeBytes <= limits.entryBytesMax { return true }
    faults.addValueError(place, "Entry size exceeds \(ValidationFaults.size(limits.entryBytesMax)) limit")
    return false
  }

  /// The row of an entry; nil with faults that were noted.
  mutating func read(_ members: [JSONTree.Member], at place: [ValidationPlace]) -> IngestRow? {
    guard members.count <= limits.membersMax else {
      faults.addValueError(place, "An object may have at most \(limits.membersMax) members")
      return nil
    }
    let before = faults.errors.count
    var record = RecordMasking(masking)
    var row = IngestRow()
    var sent: [String] = []
    for field in Dataset.logs.schema.declaredFields {
      let count = members.count { $0.name.hasBytes(of: field.name) }
      if count > 0 { sent.append(field.name) }
      if count > 1 { refuseRepeated(field.name, at: place) }
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
    guard faults.errors.count == before else { return nil }
    if record.isOverBound {
      giveUp(&row, sent)
    } else {
      for rule in record.applied { counts[Int(rule)] += 1 }
    }
    return row
  }

  /// What is left of an entry whose masking hit its bound: when and where it is from.
  private mutating func giveUp(_ row: inout IngestRow, _ sent: [String]) {
    failedCount += 1
    let isHidden = IngestRow.names.map { masking.rule(forKey: $0) != 0 }
    for index in 0..<6 where row.texts[index] != nil {
      let isClosed = index == 0 || index == 2 || index == 3
      if !isClosed || isHidden[index] { row.texts[index] = MaskingFailure.text }
    }
    row.texts[6] = nil
    row.texts[7] = String(decoding: MaskingFailure.object(sent.map { Array($0.utf8) }), as: UTF8.self)
  }

  /// 0 with a fault.
  private mutating func time(_ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace]) -> Int64 {
    guard let value else {
      _ = faults.missing(place())
      return 0
    }
    return faults.time(value, at: place(), takesDates: true) ?? 0
  }

  private mutating func level(
    _ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace], _ record: inout RecordMasking
  ) -> String? {
    guard let value else { return faults.missing(place()) }
    guard case .string(let text) = value, IngestDecoder.levels.contains(text) else {
      return faults.choice(place(), IngestDecoder.levels)
    }
    return record.column("level", text)
  }

  private mutating func text(
    _ name: String, _ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace],
    _ range: ClosedRange<Int>,
    _ record: inout RecordMasking
  ) -> String? {
    guard let value else { return faults.missing(place()) }
    return faults.text(value, at: place(), range).map { record.column(name, $0) }
  }

  private mutating func slug(
    _ name: String, _ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace], _ most: Int,
    _ record: inout RecordMasking
  ) -> String? {
    guard let value else { return faults.missing(place()) }
    guard let text = faults.text(value, at: place(), 1...most) else { return nil }
    guard text.utf8.allSatisfy({ $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D }) else {
      return faults.pattern(place(), "^[a-z0-9-]+$")
    }
    return record.column(name, text)
  }

  private mutating func optional(
    _ name: String, _ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace], _ most: Int,
    _ record: inout RecordMasking
  ) -> String? {
    guard let value, value != .null else { return nil }
    return faults.text(value, at: place(), 0...most).map { record.column(name, $0) }
  }

  /// The same members; nil with a fault if an object among them has a name twice.
  private mutating func distinct(
    _ members: [JSONTree.Member], _ place: @autoclosure () -> [ValidationPlace]
  ) -> [JSONTree.Member]? {
    guard let name = JSONTree.object(members).repeatedName else { return members }
    refuseRepeated(name, at: place())
    return nil
  }

  /// Notes that an object has a name twice.
  mutating func refuseRepeated(_ name: String, at place: [ValidationPlace]) {
    let name = name.told
    faults.addValueError(place + [.name(name)], "\"\(name)\" is twice in one object")
  }

  /// Notes a member that bodies do not have.
  mutating func refuseUnknown(_ name: String, at place: [ValidationPlace]) {
    let name = name.told
    let near = NearestName.of(name, among: ["entries", "idempotency_key"])
    faults.add(
      place + [.name(name)], "extra_forbidden",
      "Extra inputs are not permitted" + (near.map { "; did you mean \"\($0)\"?" } ?? ""))
  }

  /// The members of an optional object; nil: null, or a fault that was noted.
  private mutating func object(_ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace]) -> [JSONTree
    .Member]?
  {
    switch value {
    case nil, .null?: return nil
    case .array(let elements)? where elements.isEmpty: return []
    case .object? where value?.isWithin(limits) == false:
      faults.addValueError(
        place(),
        "An object may have at most \(limits.membersMax) members, with names of \(limits.keyBytesMax) bytes")
      return nil
    case .object(let members)?: return members
    case .some:
      faults.add(place(), "dict_type", "Input should be a valid dictionary")
      return nil
    }
  }

  private mutating func labels(
    _ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace], _ record: inout RecordMasking
  ) -> String? {
    guard let sent = object(value, place()) else { return nil }
    let before = faults.errors.count
    guard let members = distinct(sent, place()) else { return nil }
    guard members.allSatisfy({ IngestDecoder.labelKeys.contains($0.name) }) else {
      let list = IngestDecoder.labelKeys.map { "'\($0)'" }.joined(separator: ", ")
      faults.addValueError(place(), "Label key not in allowed list: {\(list)}")
      return nil
    }
    for member in members {
      let text = faults.text(member.value, at: place() + [.name(member.name)], 0...Int.max)
      if let text, text.unicodeScalars.count > IngestDecoder.labelCharactersMax {
        faults.addValueError(
          place(),
          "Label value for '\(member.name)' exceeds \(IngestDecoder.labelCharactersMax) character limit")
      }
    }
    guard faults.errors.count == before else { return nil }
    return masked("labels", sent, &record)
  }

  private mutating func metadata(
    _ value: JSONTree?, _ place: @autoclosure () -> [ValidationPlace], _ record: inout RecordMasking
  ) -> String? {
    guard let sent = object(value, place()) else { return nil }
    guard distinct(sent, place()) != nil else { return nil }
    let tree = JSONTree.object(sent)
    guard tree.depth <= IngestDecoder.metadataDepthMax else {
      faults.addValueError(
        place(), "Metadata nesting too deep (max \(IngestDecoder.metadataDepthMax) levels)")
      return nil
    }
    guard !tree.hasNUL else {
      faults.addValueError(place(), ValidationFaults.nul)
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
    return record.value(.object(members)).text
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
