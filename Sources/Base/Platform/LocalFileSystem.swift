import Glibc
import Records

/// The machine's files. All calls block.
package struct LocalFileSystem: FileSystem {
  package init() {}

  package func createDirectory(_ path: String) throws(DiskError) {
    if try isDirectory(path) { return }
    if let parent = LocalFileSystem.parent(of: path) { try createDirectory(parent) }
    guard unsafe mkdir(path, 0o755) != 0 else { return }
    let code = errno
    // Another process may have made it meanwhile.
    if code == EEXIST, try isDirectory(path) { return }
    throw diskError(.createDirectory, path, code: code)
  }

  package func list(_ path: String) throws(DiskError) -> [String] {
    guard let stream = unsafe opendir(path) else { throw diskError(.list, path, code: errno) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      // `d_name` ends with a NUL within the entry that readdir returned.
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = unsafe UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
      let name = unsafe String(cString: start)
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw diskError(.list, path, code: errno) }
    return names.sorted()
  }

  package func exists(_ path: String) throws(DiskError) -> Bool {
    try status(path) != nil
  }

  package func isDirectory(_ path: String) throws(DiskError) -> Bool {
    guard let status = try status(path) else { return false }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  package func identity(_ path: String) throws(DiskError) -> FileIdentity? {
    guard let status = try status(path) else { return nil }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// When what is in the file was changed last: nanoseconds since 1970. nil: there is no such file.
  package func modifiedAt(_ path: String) throws(DiskError) -> Int64? {
    guard let status = try status(path) else { return nil }
    return Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
  }

  package func create(_ path: String) throws(DiskError) -> any File {
    try LocalFile(path, flags: O_RDWR | O_CREAT | O_EXCL, operation: .create)
  }

  package func open(_ path: String, writable: Bool) throws(DiskError) -> any File {
    try LocalFile(path, flags: writable ? O_RDWR : O_RDONLY, operation: .open)
  }

  package func rename(_ source: String, to target: String) throws(DiskError) {
    if unsafe Glibc.rename(source, target) != 0 { throw diskError(.rename, source, code: errno) }
  }

  package func remove(_ path: String) throws(DiskError) {
    if unsafe unlink(path) != 0 { throw diskError(.remove, path, code: errno) }
  }

  package func removeDirectory(_ path: String) throws(DiskError) {
    if unsafe rmdir(path) != 0 { throw diskError(.removeDirectory, path, code: errno) }
  }

  package func syncDirectory(_ path: String) throws(DiskError) {
    let descriptor = retrying { unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    if descriptor < 0 { throw diskError(.openDirectory, path, code: errno) }
    defer { close(descriptor) }
    if retrying({ fsync(descriptor) }) != 0 { throw diskError(.syncDirectory, path, code: errno) }
  }

  package func freeBytes(at path: String) throws(DiskError) -> Int {
    let status = try volume(path)
    return Int(clamping: status.f_bavail.multipliedReportingOverflow(by: status.f_frsize).partialValue)
  }

  package func totalBytes(at path: String) throws(DiskError) -> Int {
    let status = try volume(path)
    return Int(clamping: status.f_blocks.multipliedReportingOverflow(by: status.f_frsize).partialValue)
  }

  private func volume(_ path: String) throws(DiskError) -> statvfs {
    var status = statvfs()
    if retrying({ unsafe statvfs(path, &status) }) != 0 {
      throw diskError(.measure, path, code: errno)
    }
    return status
  }

  private func status(_ path: String) throws(DiskError) -> stat? {
    var status = stat()
    if unsafe stat(path, &status) == 0 { return status }
    let code = errno
    if code == ENOENT || code == ENOTDIR { return nil }
    throw diskError(.look, path, code: code)
  }

  private static func parent(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return nil }
    return String(path[..<slash])
  }
}

/// The error for `code` (errno).
func diskError(_ operation: DiskOperation, _ path: String, at offset: Int = 0, code: Int32) -> DiskError {
  switch code {
  case ENOSPC, EDQUOT: .full(operation: operation, path: path)
  case ENOENT: .notFound(path: path)
  default: .failed(operation: operation, path: path, offsetBytes: offset, code: code)
  }
}

/// Repeats a system call that a signal interrupted.
func retrying(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}
