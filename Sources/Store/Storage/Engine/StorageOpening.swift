import Blocks
import Platform
import Records

/// What is done to the files before a store is used.
struct StorageOpening {
  let layout: StorageLayout
  let fileSystem: any FileSystem

  /// Makes the data directory and the missing ones above it, durably.
  func makeDirectory() throws(StoreError) {
    try withDisk { () throws(DiskError) in
      var made = [layout.directory]
      while let parent = StorageOpening.parent(of: made[made.count - 1]), try !fileSystem.exists(parent) {
        made.append(parent)
      }
      try fileSystem.createDirectory(layout.directory)
      for directory in made.reversed() {
        try fileSystem.syncDirectory(StorageOpening.parent(of: directory) ?? "/")
      }
    }
  }

  /// The directory that holds `path`; nil for the root.
  static func parent(of path: String) -> String? {
    let parts = path.split(separator: "/")
    if parts.isEmpty { return nil }
    let above = parts.dropLast().joined(separator: "/")
    if path.hasPrefix("/") { return "/" + above }
    return above.isEmpty ? "." : above
  }

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

  /// Removes block files that no edit names, and directories without a block; a named file that is missing is
  /// damage.
  ///
  /// A directory goes because an earlier life may have failed to make its name durable; a block gets a new
  /// one.
  ///
  /// - Returns: How many files were removed.
  func removeOrphans(keeping state: ManifestState) throws(StoreError) -> Int {
    var count = 0
    var named = Set(state.blocks.map { layout.block($0.id, of: $0.partition) })
    try withDisk { () throws(DiskError) in
      for tenant in try names(layout.blocks) {
        for dataset in try names("\(layout.blocks)/\(tenant)") {
          let directory = "\(layout.blocks)/\(tenant)/\(dataset)"
          var isUsed = false
          for name in try names(directory) {
            if named.remove("\(directory)/\(name)") != nil {
              isUsed = true
            } else {
              try fileSystem.remove("\(directory)/\(name)")
              count += 1
            }
          }
          if !isUsed { try removeUnused(directory) }
        }
        try removeUnusedTenant("\(layout.blocks)/\(tenant)")
      }
    }
    if let missing = named.min() {
      throw .corrupt(file: missing, offsetBytes: 0, reason: "the manifest names it, but it is missing")
    }
    return count
  }

  private func removeUnused(_ directory: String) throws(DiskError) {
    if try fileSystem.isDirectory(directory) { try fileSystem.removeDirectory(directory) }
  }

  /// Removes a tenant's directory that holds nothing but the tenant's name.
  func removeUnusedTenant(_ directory: String) throws(DiskError) {
    let held = try names(directory)
    let ours = [StorageLayout.tenantFile, StorageLayout.tenantFile + StorageLayout.temporarySuffix]
    guard held.allSatisfy({ ours.contains($0) }) else { return }
    for name in held { try fileSystem.remove("\(directory)/\(name)") }
    try removeUnused(directory)
  }

  /// Names in a directory; none if it does not exist or is a file.
  private func names(_ directory: String) throws(DiskError) -> [String] {
    guard try fileSystem.isDirectory(directory) else { return [] }
    return try fileSystem.list(directory)
  }
}
