import Platform
import Records

/// An idempotency key with its scope.
struct ScopedKey: Hashable, Sendable {
  let tenant: Tenant
  let credential: UInt64
  let key: String
  /// Whether it names an import: those never meet keys of requests.
  let isImport: Bool

  init(tenant: Tenant, credential: UInt64, key: String, isImport: Bool = false) {
    self.tenant = tenant
    self.credential = credential
    self.key = key
    self.isImport = isImport
  }

  init(_ idempotency: IdempotencyKey, of tenant: Tenant) {
    self.init(
      tenant: tenant, credential: idempotency.credential, key: idempotency.key,
      isImport: idempotency.part != nil)
  }
}

/// What is known of a request that had a key: enough to answer its repeats.
struct KeyEntry: Hashable, Sendable {
  static let fixedBytes = 72

  var bodyHash: [UInt8]
  var answer: [UInt8]
  var firstPosition: Int64
  var rowCount: Int
  var ingestedAt: Int64
  var firstID: [UInt8]
  /// Seconds of the journal's running time (``RunningTime``); negative: not known, of a version that did not
  /// note it.
  var madeAt: Int64

  /// Rough bytes of memory for the table's bound.
  func memoryBytes(_ key: ScopedKey) -> Int { KeyEntry.memoryBytes(key, answer: answer) }

  static func memoryBytes(_ key: ScopedKey, answer: [UInt8]) -> Int {
    300 + answer.count + key.key.utf8.count
  }

  /// What is kept of a request's answer: behind the piece, if it is one of an import.
  static func answer(of request: IdempotencyKey) -> [UInt8] {
    guard let part = request.part else { return request.answer }
    return part.bytes + request.answer
  }

  /// The piece of the import `name` that the request was; nil for damage.
  func part(of name: String) -> ImportPart? { ImportPart(name: name, bytes: answer) }

  /// What repeats are answered.
  func receipt(for key: ScopedKey) -> AppendReceipt {
    let partBytes = key.isImport ? part(of: key.key)?.bytes.count ?? 0 : 0
    return AppendReceipt(
      firstPosition: firstPosition, rowCount: rowCount, firstID: firstID, ingestedAt: ingestedAt,
      isReplay: true, answer: Array(answer.dropFirst(partBytes)))
  }

  /// Adds the entry as Docs/formats/journal.md draws it.
  func append(_ key: ScopedKey, to buffer: WriteBuffer) {
    let name = Array(key.key.utf8)
    buffer.append(UInt32(answer.count))
    buffer.append(UInt32(name.count))
    buffer.append(key.credential)
    buffer.append(bodyHash)
    buffer.append(firstPosition)
    buffer.append(UInt32(rowCount))
    buffer.append(UInt32(clamping: madeAt + 1))
    buffer.append(ingestedAt)
    buffer.append(firstID)
    buffer.append(name)
    buffer.append(answer)
  }

  static func byteCount(_ key: ScopedKey, answer: [UInt8]) -> Int {
    fixedBytes + key.key.utf8.count + answer.count
  }

  /// The entry in `bytes`, which must be its own alone; nil if it is none.
  static func read(_ bytes: Span<UInt8>, tenant: Tenant) -> (key: ScopedKey, entry: KeyEntry)? {
    guard bytes.count >= fixedBytes else { return nil }
    let answerBytes = Int(bytes.littleEndian32(0))
    let keyBytes = Int(bytes.littleEndian32(4))
    guard keyBytes >= 1, keyBytes <= 255, fixedBytes + keyBytes + answerBytes == bytes.count else {
      return nil
    }
    let bodyHash = bytes.array(16..<32)
    let key = ScopedKey(
      tenant: tenant, credential: bytes.littleEndian64(8),
      key: String(decoding: bytes.array(fixedBytes..<fixedBytes + keyBytes), as: UTF8.self),
      isImport: bodyHash == ImportPart.mark)
    let entry = KeyEntry(
      bodyHash: bodyHash, answer: bytes.array(fixedBytes + keyBytes..<bytes.count),
      firstPosition: Int64(bitPattern: bytes.littleEndian64(32)),
      rowCount: Int(bytes.littleEndian32(40)), ingestedAt: Int64(bitPattern: bytes.littleEndian64(48)),
      firstID: bytes.array(56..<72), madeAt: Int64(bytes.littleEndian32(44)) - 1)
    if key.isImport, entry.part(of: key.key) == nil { return nil }
    return (key, entry)
  }
}

extension KeyEntry {
  /// What is kept of `request`, which was answered `receipt`.
  init(_ request: IdempotencyKey, _ receipt: AppendReceipt, madeAt: Int64) {
    bodyHash = request.bodyHash
    answer = KeyEntry.answer(of: request)
    firstPosition = receipt.firstPosition
    rowCount = receipt.rowCount
    ingestedAt = receipt.ingestedAt
    firstID = receipt.firstID
    self.madeAt = madeAt
  }
}

extension Span<UInt8> {
  func littleEndian32(_ at: Int) -> UInt32 {
    UInt32(self[at]) | UInt32(self[at + 1]) << 8 | UInt32(self[at + 2]) << 16 | UInt32(self[at + 3]) << 24
  }

  func littleEndian64(_ at: Int) -> UInt64 {
    UInt64(littleEndian32(at)) | UInt64(littleEndian32(at + 4)) << 32
  }

  /// A copy of the bytes `range`.
  func array(_ range: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    for index in range { bytes.append(self[index]) }
    return bytes
  }
}
