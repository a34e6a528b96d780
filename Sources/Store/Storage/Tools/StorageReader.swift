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
}
