import Platform
import Records

/// An idempotency key with its scope.
struct ScopedKey: Hashable, Sendable {
  let tenant: Tenant
  let credential: UInt64
  let key: String

  init(tenant: Tenant, credential: UInt64, key: String) {
    self.tenant = tenant
    self.credential = credential
    self.key = key
  }

  init(_ idempotency: IdempotencyKey, of tenant: Tenant) {
    self.init(tenant: tenant, credential: idempotency.credential, key: idempotency.key)
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

  var receipt: AppendReceipt {
    AppendReceipt(
      firstPosition: firstPosition, rowCount: rowCount, firstID: firstID, ingestedAt: ingestedAt,
      isReplay: true, answer: answer)
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
    let key = ScopedKey(
      tenant: tenant, credential: bytes.littleEndian64(8),
      key: String(decoding: bytes.array(fixedBytes..<fixedBytes + keyBytes), as: UTF8.self))
    let entry = KeyEntry(
      bodyHash: bytes.array(16..<32), answer: bytes.array(fixedBytes + keyBytes..<bytes.count),
      firstPosition: Int64(bitPattern: bytes.littleEndian64(32)),
      rowCount: Int(bytes.littleEndian32(40)), ingestedAt: Int64(bitPattern: bytes.littleEndian64(48)),
      firstID: bytes.array(56..<72), madeAt: Int64(bytes.littleEndian32(44)) - 1)
    return (key, entry)
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
