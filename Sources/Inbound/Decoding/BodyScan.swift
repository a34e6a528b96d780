import Codecs
import Masking
import Records

/// One body on its way into columns: finds where entries start and decides what a fault means.
struct BodyScan: ~Copyable {
  var scanner: JSONColumnScanner
  let limits: DecodingLimits
  private let mode: ErrorMode
  private let fields: [Field]
  var entryCount = 0
  var rejectedCount = 0
  var errors: [DecodingError] = []

  init(_ plan: ScanPlan, fields: [Field], limits: DecodingLimits, mode: ErrorMode) {
    scanner = JSONColumnScanner(plan)
    self.fields = fields
    self.limits = limits
    self.mode = mode
  }

  /// What was decoded; the scan is used up.
  consuming func finish(_ masking: MaskingPlan) -> DecodedBody {
    let accepted = scanner.rowCount
    let counts = masking.isEmpty ? [] : masking.counts(scanner.maskedCounts)
    let failedCount = scanner.maskingFailedCount
    let batch =
      accepted == 0 ? nil : RecordBatch(fields: fields, columns: scanner.finish(), rowCount: accepted)
    return DecodedBody(
      batch: batch, acceptedCount: accepted, rejectedCount: rejectedCount, errors: errors,
      maskedCounts: counts, maskingFailedCount: failedCount)
  }

  /// One object a line, from `start` on.
  mutating func scanLines(_ body: Span<UInt8>, from start: Int) throws(DecodingError) {
    var at = JSONScanner.skipSpace(body, from: start)
    while at < body.count {
      try beginEntry(at)
      var next: Int?
      if body[at] == UInt8(ascii: "{") {
        next = scanner.scan(body, at: at)
        if let fault = scanner.fault { try refuse(fault, body, at..<(next ?? at)) }
      } else {
        try refuse(notAnObject(body, at))
      }
      at = JSONScanner.skipSpace(body, from: next ?? lineEnd(body, at))
    }
    if entryCount == 0 { throw DecodingError(entry: nil, byte: body.count, field: nil, reason: .empty) }
  }

  /// One document, an array of objects or an object, from `start` on.
  mutating func scanDocument(_ body: Span<UInt8>, from start: Int) throws(DecodingError) {
    let at = JSONScanner.skipSpace(body, from: start)
    guard at < body.count else {
      throw DecodingError(entry: nil, byte: at, field: nil, reason: .empty)
    }
    let end: Int?
    switch body[at] {
    case UInt8(ascii: "{"): end = try scanElement(body, at)
    case UInt8(ascii: "["): end = try scanArray(body, at)
    default: throw DecodingError(entry: nil, byte: at, field: nil, reason: .expectedArrayOrObject)
    }
    guard let end else { return }
    if entryCount == 0 { throw DecodingError(entry: nil, byte: at, field: nil, reason: .empty) }
    let rest = JSONScanner.skipSpace(body, from: end)
    if rest < body.count {
      try refuse(DecodingError(entry: nil, byte: rest, field: nil, reason: .trailingContent))
    }
  }

  /// The columns filled so far and their rows; the scan is used up.
  consuming func finishColumns() -> (columns: [Column], rowCount: Int) {
    let rowCount = scanner.rowCount
    return (scanner.finish(), rowCount)
  }

  /// Returns the offset behind the array; nil if it broke off, which was noted.
  mutating func scanArray(_ body: Span<UInt8>, _ open: Int) throws(DecodingError) -> Int? {
    var at = JSONScanner.skipSpace(body, from: open + 1)
    if at < body.count, body[at] == UInt8(ascii: "]") { return at + 1 }
    while true {
      guard let end = try scanElement(body, at) else { return nil }
      at = JSONScanner.skipSpace(body, from: end)
      guard at < body.count else {
        try refuse(DecodingError(entry: nil, byte: at, field: nil, reason: .truncated))
        return nil
      }
      if body[at] == UInt8(ascii: "]") { return at + 1 }
      guard body[at] == UInt8(ascii: ",") else {
        try refuse(
          DecodingError(entry: nil, byte: at, field: nil, reason: .syntax(.commaOrBracket)))
        return nil
      }
      at = JSONScanner.skipSpace(body, from: at + 1)
    }
  }

  /// Returns the offset behind the element at `at`; nil if its end was not found, which was noted.
  private mutating func scanElement(_ body: Span<UInt8>, _ at: Int) throws(DecodingError) -> Int? {
    try beginEntry(at)
    guard at < body.count else {
      try refuse(DecodingError(entry: entryCount - 1, byte: at, field: nil, reason: .truncated))
      return nil
    }
    guard body[at] == UInt8(ascii: "{") else {
      try refuse(notAnObject(body, at))
      // Another kind of value is left out; what is no value at all breaks the array.
      return JSONScanner.kind(body, at: at) == nil ? nil : JSONScanner.skipValue(body, from: at)
    }
    let next = scanner.scan(body, at: at)
    if let fault = scanner.fault { try refuse(fault, body, at..<(next ?? at)) }
    return next
  }

  private mutating func beginEntry(_ at: Int) throws(DecodingError) {
    guard entryCount < limits.entriesMax else {
      throw DecodingError(
        entry: nil, byte: at, field: nil, reason: .tooManyEntries(entriesMax: limits.entriesMax))
    }
    entryCount += 1
  }

  private func notAnObject(_ body: Span<UInt8>, _ at: Int) -> DecodingError {
    let isValue = JSONScanner.kind(body, at: at) != nil
    return DecodingError(
      entry: entryCount - 1, byte: at, field: nil, reason: isValue ? .notAnObject : .syntax(.record))
  }

  private mutating func refuse(
    _ fault: ScanFault, _ body: Span<UInt8>, _ entry: Range<Int>
  ) throws(DecodingError) {
    var field = scanner.faultField
    if fault == .repeatedName {
      let overflow = scanner.plan.overflowSlot.map {
        String(decoding: scanner.plan.slots[$0].name, as: UTF8.self)
      }
      field = RepeatedName.find(in: body.extracting(entry), beside: overflow)
    }
    let reason = DecodingReason(fault, limits: limits, column: fields.first { $0.name == field })
    try refuse(
      DecodingError(entry: entryCount - 1, byte: scanner.faultAt, field: field, reason: reason))
  }

  /// Throws or notes `error`, as the mode says.
  private mutating func refuse(_ error: DecodingError) throws(DecodingError) {
    switch mode {
    case .reject: throw error
    case .skip(let errorsMax):
      if error.entry != nil { rejectedCount += 1 }
      if errors.count < errorsMax { errors.append(error) }
    }
  }

  /// Offset behind the line that `start` is in.
  private func lineEnd(_ body: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    while at < body.count, body[at] != UInt8(ascii: "\n") { at += 1 }
    return min(at + 1, body.count)
  }
}

extension DecodingReason {
  /// The reason for the client behind a fault of the scan.
  init(_ fault: ScanFault, limits: DecodingLimits, column: Field?) {
    self =
      switch fault {
      case .expectedValue: .syntax(.value)
      case .expectedKey: .syntax(.key)
      case .expectedColon: .syntax(.colon)
      case .expectedCommaOrBrace: .syntax(.commaOrBrace)
      case .expectedCommaOrBracket: .syntax(.commaOrBracket)
      case .expectedLineEnd: .syntax(.lineEnd)
      case .truncated: .truncated
      case .badNumber: .badNumber
      case .lineEndInString, .controlCharacter: .controlCharacter
      case .invalidUTF8: .invalidUTF8
      case .nul: .nulCharacter
      case .badEscape: .badEscape
      case .loneSurrogate: .loneSurrogate
      case .tooDeep: .nestedTooDeeply(depthMax: limits.depthMax)
      case .entryTooLarge: .entryTooLarge(bytesMax: limits.entryBytesMax)
      case .tooManyMembers: .tooManyMembers(membersMax: limits.membersMax)
      case .keyTooLong: .keyTooLong(bytesMax: limits.keyBytesMax)
      case .wrongType: .wrongType(expected: column.map(DecodingReason.wanted) ?? "another type")
      case .badTimestamp: .badTimestamp
      case .numberOutOfRange: .numberOutOfRange
      case .missing: .missing
      case .reserved: .reserved
      case .unknownField: .unknownField
      case .ruleBroken: .ruleBroken
      case .repeatedName: .repeatedName
      }
  }

  private static func wanted(_ column: Field) -> String {
    switch column.type {
    case .utf8, .uuid: "a string"
    case .json: "an object"
    case .int64: "an integer"
    case .float64: "a number"
    case .bool: "true or false"
    case .timestamp: "an RFC 3339 time or a number since 1970"
    }
  }
}
