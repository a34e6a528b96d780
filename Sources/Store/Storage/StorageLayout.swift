import Codecs
import Platform
import Records

/// Where things lie below the data directory.
struct StorageLayout: Sendable {
  let directory: String

  var manifest: String { directory + "/" + Manifest.name }
  var journal: String { directory + "/journal" }
  var blocks: String { directory + "/blocks" }

  func tenantDirectory(_ tenant: Tenant) -> String {
    let hash = Hash64.xxh64(Array(tenant.name.utf8))
    let digits = String(hash, radix: 16)
    let padded = String(repeating: "0", count: 16 - digits.count) + digits
    return "\(blocks)/\(tenant.realm.name)-\(padded)"
  }

  func partitionDirectory(_ partition: Partition) -> String {
    "\(tenantDirectory(partition.tenant))/\(partition.dataset.name)"
  }

  func block(_ id: UInt64, of partition: Partition) -> String {
    "\(partitionDirectory(partition))/\(StorageLayout.blockName(id))"
  }

  /// At least eight digits, so that names sort by age.
  static func blockName(_ id: UInt64) -> String {
    let digits = String(id)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".parquet"
  }

  /// Where files go that the store did not write.
  var lostAndFound: String { directory + "/" + DataFiles.lostAndFound }

  /// Whether a tenant's directory may have such a name: a realm, and 16 hexadecimal digits.
  static func isTenantName(_ name: String, _ registry: Registry) -> Bool {
    guard let dash = name.lastIndex(of: "-") else { return false }
    let digits = name[name.index(after: dash)...].utf8
    return registry.realms.contains { $0.name == name[..<dash] } && digits.count == 16
      && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The id in a block's file name; nil for other names.
  static func blockID(of name: Substring) -> UInt64? {
    guard name.hasSuffix(".parquet"), let id = UInt64(name.dropLast(8)), blockName(id) == name else {
      return nil
    }
    return id
  }
  /// Tells people whose directory it is; never read to decide anything.
  static let tenantFile = "TENANT"
}
