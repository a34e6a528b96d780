import Records

/// What the disk refused. Nothing is retried here.
package enum DiskError: Error, Sendable, Equatable {
  /// ENOSPC or EDQUOT while doing `operation` to `path`.
  case full(operation: DiskOperation, path: String)
  /// The file or directory does not exist.
  case notFound(path: String)
  /// Anything else: `code` is errno.
  case failed(operation: DiskOperation, path: String, offsetBytes: Int, code: Int32)

  /// The file or directory.
  package var path: String {
    switch self {
    case .full(_, let path), .notFound(let path), .failed(_, let path, _, _): path
    }
  }

  /// Whether a sync failed, for another reason than a full disk: the disk is going, and what was written
  /// since the last sync that succeeded may be lost although reads show it.
  package var isFailedSync: Bool {
    if case .failed(let operation, _, _, _) = self { operation.isSync } else { false }
  }

  /// Whether the process or the machine had no descriptor or memory left for the call: nothing was done, and
  /// nothing is wrong with the file.
  package var isExhaustion: Bool {
    if case .failed(_, _, _, let code) = self { DiskError.exhaustionCodes.contains(code) } else { false }
  }

  /// Whether a directory was moved away or replaced: nothing was made under its name. Ends when it is back.
  package var isMoved: Bool {
    if case .failed(.recognize, _, _, _) = self { true } else { false }
  }
}

/// The only door to files. Two conformers: the machine's (`LocalFileSystem`) and the simulated disk of
/// TestKit; both pass the same conformance suite. All calls block: never on Swift's shared pool.
///
/// Paths are UTF-8 and absolute, or relative to the working directory. A created, renamed or removed name is
/// durable only after ``syncDirectory(_:)`` of its directory.
package protocol FileSystem: Sendable {
  /// Creates the directory and its missing parents; no error if it exists.
  func createDirectory(_ path: String) throws(DiskError)
  /// Names in the directory, sorted, without `.` and `..`.
  func list(_ path: String) throws(DiskError) -> [String]
  func exists(_ path: String) throws(DiskError) -> Bool
  func isDirectory(_ path: String) throws(DiskError) -> Bool
  /// Which file or directory the name leads to; nil: to none.
  func identity(_ path: String) throws(DiskError) -> FileIdentity?
  /// Creates a new file for reading and writing; fails if the name exists.
  func create(_ path: String) throws(DiskError) -> any File
  func open(_ path: String, writable: Bool) throws(DiskError) -> any File
  /// Replaces `target` if it is a file, atomically. A directory takes along what it holds.
  func rename(_ source: String, to target: String) throws(DiskError)
  func remove(_ path: String) throws(DiskError)
  func removeDirectory(_ path: String) throws(DiskError)
  func syncDirectory(_ path: String) throws(DiskError)
  /// Bytes that can still be written on the file system that holds `path`.
  func freeBytes(at path: String) throws(DiskError) -> Int
  /// Bytes of the file system that holds `path`.
  func totalBytes(at path: String) throws(DiskError) -> Int
}

/// An open file. Closed when the last reference goes.
package protocol File: AnyObject, Sendable {
  var path: String { get }
  func size() throws(DiskError) -> Int
  /// Writes all of `bytes` at `offset` (growing the file if needed) or throws; what was written then is
  /// undefined.
  func write(_ bytes: Span<UInt8>, at offset: Int) throws(DiskError)
  /// Reads exactly `count` bytes or throws.
  func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8]
  /// Makes written bytes and the size durable (`fdatasync`). After a failure nothing unsynced may be trusted.
  func sync() throws(DiskError)
  /// Maps `range` of the file read-only and shared: later writes to it show. The mapping lives while the
  /// buffer does, also after the file was removed. Never truncate a mapped file; where somebody does, or a
  /// sector is bad, readers see zeros and `Buffer.fileMapping` says so.
  func map(_ range: Range<Int>) throws(DiskError) -> Buffer
}
