import Glibc
import Records

/// Which file or directory a name led to. One that is made later under the same name has another identity, as
/// long as somebody has the first one open.
package struct FileIdentity: Sendable, Hashable {
  private let device: UInt64
  private let inode: UInt64

  /// Two numbers that no two files of a machine share.
  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// A directory that must stay the one it was: what is made or removed in it by name would else be made or
/// removed elsewhere once it was moved away.
package struct KnownDirectory: Sendable {
  /// The name it was found under.
  package let path: String
  private let fileSystem: any FileSystem
  private let identity: FileIdentity

  /// The directory that `path` leads to now.
  package init(_ path: String, on fileSystem: any FileSystem) throws(DiskError) {
    guard let identity = try fileSystem.identity(path) else { throw .notFound(path: path) }
    self.path = path
    self.fileSystem = fileSystem
    self.identity = identity
  }

  /// Throws ``DiskError/isMoved`` if the name leads elsewhere or nowhere. One call of the system.
  package func check() throws(DiskError) {
    if try fileSystem.identity(path) != identity {
      throw .failed(operation: .recognize, path: path, offsetBytes: 0, code: ESTALE)
    }
  }
}
