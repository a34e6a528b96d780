import Glibc
import Records

/// Why a directory could not be locked.
package enum FileLockError: Error, Equatable {
  /// Another process holds the lock; its number if it left it in the file.
  case held(path: String, process: Int?)
  case disk(DiskError)
}

/// Keeps other processes out of a directory for as long as it lives. The system drops the lock when the
/// process ends.
///
/// The directory itself is locked: a file in it could be removed, and made anew by the next who comes. The
/// file `lock` in it is locked too, for those who know only of that, and tells who has it.
package final class FileLock: Sendable {
  /// Of the file in the directory.
  package static let name = "lock"

  private let directory: Int32
  private let file: Int32

  /// Locks the directory, which exists, and writes our process number into its lock file.
  package init(directory path: String) throws(FileLockError) {
    let lockPath = path + "/" + FileLock.name
    let directory = retrying { unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    if directory < 0 { throw .disk(diskError(.openDirectory, path, code: errno)) }
    do throws(FileLockError) {
      try FileLock.take(directory, path, holderIn: lockPath)
      file = try FileLock.takeFile(lockPath)
    } catch {
      close(directory)
      throw error
    }
    self.directory = directory
    let text = Array("\(getpid())\n".utf8)
    // The number only serves a message, so a full or read-only disk must not keep anybody from reading.
    _ = ftruncate(file, 0)
    _ = unsafe text.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, 0) }
  }

  deinit {
    if file >= 0 { close(file) }
    close(directory)
  }

  private static func take(
    _ descriptor: Int32, _ path: String, holderIn lockPath: String
  ) throws(FileLockError) {
    if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return }
    switch errno {
    case EWOULDBLOCK:
      let reader = retrying { unsafe open(lockPath, O_RDONLY | O_CLOEXEC) }
      defer { if reader >= 0 { close(reader) } }
      throw .held(path: lockPath, process: reader >= 0 ? process(in: reader) : nil)
    // Network file systems lock files alone: there the lock file must do.
    case EBADF, EINVAL, ENOLCK, EOPNOTSUPP: return
    case let code: throw .disk(diskError(.lock, path, code: code))
    }
  }

  /// -1: there is none on a read-only file system, and there can be none.
  private static func takeFile(_ path: String) throws(FileLockError) -> Int32 {
    var descriptor = retrying { unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
    if descriptor < 0, errno == EROFS {
      descriptor = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC) }
      if descriptor < 0, errno == ENOENT { return -1 }
    }
    if descriptor < 0 { throw .disk(diskError(.openLock, path, code: errno)) }
    if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return descriptor }
    let code = errno
    let holder = process(in: descriptor)
    close(descriptor)
    if code == EWOULDBLOCK { throw .held(path: path, process: holder) }
    throw .disk(diskError(.lock, path, code: code))
  }

  private static func process(in descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 20)
    // Within bounds: at most the array's count is read.
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    let digits = bytes.prefix(max(count, 0)).prefix { $0 >= 0x30 && $0 <= 0x39 }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
