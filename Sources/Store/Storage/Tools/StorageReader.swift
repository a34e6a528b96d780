import Blocks
import Journaling
import Platform
import Records

/// The manifest of a data directory, read without changing it.
struct StorageReader {
  let layout: StorageLayout
  let fileSystem: any FileSystem
  let scan: ManifestScan
  /// Bytes of the manifest file.
  let manifestBytes: Int

  var manifestPath: String { layout.directory + "/" + Manifest.name }

  init(
    directory: String, fileSystem: any FileSystem, registry: Registry
  ) throws(StoreError) {
    layout = StorageLayout(directory: directory)
    self.fileSystem = fileSystem
    let path = directory + "/" + Manifest.name
    let bytes = try withDisk { () throws(DiskError) in
      let file = try fileSystem.open(path, writable: false)
      return try file.read(at: 0, count: try file.size())
    }
    scan = try ManifestScan(bytes, path: path, registry: registry)
    manifestBytes = bytes.count
  }

  /// Files below `blocks` that no edit names, but for the tenants' names.
  func orphans() throws(StoreError) -> [String] {
    let named = Set(scan.state.blocks.map { layout.block($0.id, of: $0.partition) })
    var found: [String] = []
    try withDisk { () throws(DiskError) in
      guard try fileSystem.isDirectory(layout.blocks) else { return }
      for tenant in try fileSystem.list(layout.blocks) {
        let tenantDirectory = "\(layout.blocks)/\(tenant)"
        guard try fileSystem.isDirectory(tenantDirectory) else { continue }
        for dataset in try fileSystem.list(tenantDirectory) {
          let directory = "\(tenantDirectory)/\(dataset)"
          guard try fileSystem.isDirectory(directory) else { continue }
          found += try fileSystem.list(directory).map { "\(directory)/\($0)" }.filter { !named.contains($0) }
        }
      }
    }
    return found
  }
}
