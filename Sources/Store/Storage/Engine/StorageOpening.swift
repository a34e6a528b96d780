import Platform
import Records

/// What is done to the files before a store is used.
struct StorageOpening {
  let layout: StorageLayout
  let fileSystem: any FileSystem

  /// Whether the directory holds nothing that only a manifest can explain.
  func isNew() throws(StoreError) -> Bool {
    try withDisk { () throws(DiskError) in
      if try !names(layout.journal).isEmpty { return false }
      for tenant in try names(layout.blocks) {
        for dataset in try names("\(layout.blocks)/\(tenant)") {
          if try !names("\(layout.blocks)/\(tenant)/\(dataset)").isEmpty { return false }
        }
      }
      return true
    }
  }

  /// Removes block files that no edit names; a named one that is missing is damage.
  func removeOrphans(keeping state: ManifestState) throws(StoreError) {
    var named = Set(state.blocks.map { layout.block($0.id, of: $0.partition) })
    try withDisk { () throws(DiskError) in
      for tenant in try names(layout.blocks) {
        for dataset in try names("\(layout.blocks)/\(tenant)") {
          let directory = "\(layout.blocks)/\(tenant)/\(dataset)"
          for name in try names(directory) where named.remove("\(directory)/\(name)") == nil {
            try fileSystem.remove("\(directory)/\(name)")
          }
        }
      }
    }
    if let missing = named.min() {
      throw .corrupt(file: missing, offsetBytes: 0, reason: "the manifest names it, but it is missing")
    }
  }

  /// Names in a directory; none if it does not exist or is a file.
  private func names(_ directory: String) throws(DiskError) -> [String] {
    guard try fileSystem.isDirectory(directory) else { return [] }
    return try fileSystem.list(directory)
  }
}
