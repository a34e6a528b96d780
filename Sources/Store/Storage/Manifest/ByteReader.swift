import Codecs
import Records

/// Why bytes of the manifest could not be understood: where in the payload, and what was wrong.
struct ManifestCodingError: Error, Equatable {
  let offsetBytes: Int
  let reason: String
  /// Whether a later version may have meant it: a code that is not known, in bytes that are otherwise sound.
  var isUnknown = false
}

/// Reads the small values of Docs/formats/manifest.md one after the other. Total: broken bytes are errors.
struct ByteReader {
  let bytes: [UInt8]
  var offset = 0

  private let registry: Registry

  /// - Parameter registry: What codes mean.
  init(_ bytes: [UInt8], registry: Registry = .standard) {
    self.bytes = bytes
    self.registry = registry
  }

  var isAtEnd: Bool { offset == bytes.count }

  func error(_ reason: String) -> ManifestCodingError {
    ManifestCodingError(offsetBytes: offset, reason: reason)
  }

  func unknown(_ what: String) -> ManifestCodingError {
    ManifestCodingError(offsetBytes: offset, reason: "\(what) is not known", isUnknown: true)
  }

  mutating func byte() throws(ManifestCodingError) -> UInt8 {
    guard offset < bytes.count else { throw error("the payload ends early") }
    offset += 1
    return bytes[offset - 1]
  }

  mutating func bool() throws(ManifestCodingError) -> Bool {
    let value = try byte()
    guard value <= 1 else { throw error("a flag is 0 or 1") }
    return value == 1
  }

  mutating func unsigned() throws(ManifestCodingError) -> UInt64 {
    var at = offset
    guard let value = Varint.read(bytes.span, at: &at) else { throw error("a broken varint") }
    offset = at
    return value
  }

  mutating func signed() throws(ManifestCodingError) -> Int64 {
    var at = offset
    guard let value = Varint.readSigned(bytes.span, at: &at) else { throw error("a broken varint") }
    offset = at
    return value
  }

  /// A number of things or bytes, at most `max`.
  mutating func count(max: Int = .max) throws(ManifestCodingError) -> Int {
    guard let value = Int(exactly: try unsigned()), value <= max else { throw error("a count out of range") }
    return value
  }

  mutating func raw(_ count: Int) throws(ManifestCodingError) -> [UInt8] {
    guard count <= bytes.count - offset else { throw error("the payload ends early") }
    offset += count
    return Array(bytes[offset - count..<offset])
  }

  mutating func text() throws(ManifestCodingError) -> String {
    let text = try raw(try count())
    guard let string = String(validating: text, as: UTF8.self) else { throw error("text that is not UTF-8") }
    return string
  }

  mutating func tenant() throws(ManifestCodingError) -> Tenant {
    try tenant(realm: try byte())
  }

  private mutating func tenant(realm: UInt8) throws(ManifestCodingError) -> Tenant {
    guard let realm = registry.realm(code: realm) else { throw unknown("the realm") }
    let name = try text()
    guard Tenant.isValid(name: name) else { throw error("an impossible tenant name") }
    return Tenant(realm: realm, name: name)
  }

  mutating func partition() throws(ManifestCodingError) -> Partition {
    let realm = try byte()
    guard let dataset = registry.dataset(code: try byte()) else { throw unknown("the dataset") }
    return Partition(tenant: try tenant(realm: realm), dataset: dataset)
  }
}

extension [UInt8] {
  mutating func append(text: String) {
    let utf8 = Array(text.utf8)
    Varint.append(UInt64(utf8.count), to: &self)
    self += utf8
  }

  mutating func append(count: Int) { Varint.append(UInt64(count), to: &self) }

  mutating func append(tenant: Tenant) {
    append(tenant.realm.code)
    append(text: tenant.name)
  }

  mutating func append(partition: Partition) {
    append(partition.tenant.realm.code)
    append(partition.dataset.code)
    append(text: partition.tenant.name)
  }
}
