import Codecs
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

  /// What a block's file is called until it is whole.
  static let temporarySuffix = ".tmp"
  /// Tells people whose directory it is; never read to decide anything.
  static let tenantFile = "TENANT"
}
