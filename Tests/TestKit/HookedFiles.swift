import Platform
import Records

/// A file system that calls back before each operation on it, and when a file was read: what else happens on
/// the same disk, or a power cut, comes then between two steps of whoever uses this.
package struct HookedFiles: FileSystem {
  private let files: any FileSystem
  private let before: @Sendable () -> Void

  /// - Parameter before: Called before each operation, also on files that were opened here, and behind a
  ///   read.
  package init(_ files: any FileSystem, before: @escaping @Sendable () -> Void) {
    self.files = files
    self.before = before
  }

  private func hooked() -> any FileSystem {
    before()
    return files
  }

  private func wrap(_ file: any File) -> any File { HookedFile(file, before: before) }

  package func createDirectory(_ path: String) throws(DiskError) { try hooked().createDirectory(path) }
  package func list(_ path: String) throws(DiskError) -> [String] { try hooked().list(path) }
  package func exists(_ path: String) throws(DiskError) -> Bool { try hooked().exists(path) }
  package func isDirectory(_ path: String) throws(DiskError) -> Bool { try hooked().isDirectory(path) }
  package func identity(_ path: String) throws(DiskError) -> FileIdentity? { try hooked().identity(path) }
  package func create(_ path: String) throws(DiskError) -> any File { wrap(try hooked().create(path)) }
  package func open(_ path: String, writable: Bool) throws(DiskError) -> any File {
    wrap(try hooked().open(path, writable: writable))
  }
  package func rename(_ source: String, to target: String) throws(DiskError) {
    try hooked().rename(source, to: target)
  }
  package func remove(_ path: String) throws(DiskError) { try hooked().remove(path) }
  package func removeDirectory(_ path: String) throws(DiskError) { try hooked().removeDirectory(path) }
  package func syncDirectory(_ path: String) throws(DiskError) { try hooked().syncDirectory(path) }
  package func freeBytes(at path: String) throws(DiskError) -> Int { try hooked().freeBytes(at: path) }
  package func totalBytes(at path: String) throws(DiskError) -> Int { try hooked().totalBytes(at: path) }
}

/// An open file of it.
private final class HookedFile: File {
  private let file: any File
  private let before: @Sendable () -> Void
  var path: String { file.path }

  init(_ file: any File, before: @escaping @Sendable () -> Void) {
    self.file = file
    self.before = before
  }

  func size() throws(DiskError) -> Int {
    before()
    return try file.size()
  }
  func write(_ bytes: Span<UInt8>, at offset: Int) throws(DiskError) {
    before()
    try file.write(bytes, at: offset)
  }
  func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
    before()
    // What is read from a mapping next is no operation.
    defer { before() }
    return try file.read(at: offset, count: count)
  }
  func sync() throws(DiskError) {
    before()
    try file.sync()
  }
  func map(_ range: Range<Int>) throws(DiskError) -> Buffer {
    before()
    return try file.map(range)
  }
}
