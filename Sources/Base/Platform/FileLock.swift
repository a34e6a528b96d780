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
package final class FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock on the file `path`, made if missing, and writes our process number into it.
  package init(_ path: String) throws(FileLockError) {
    let descriptor = retrying { unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
    if descriptor < 0 { throw .disk(diskError(.openLock, path, code: errno)) }
    guard retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
      let code = errno
      let holder = FileLock.process(in: descriptor)
      close(descriptor)
      if code == EWOULDBLOCK { throw .held(path: path, process: holder) }
      throw .disk(diskError(.lock, path, code: code))
    }
    self.descriptor = descriptor
    let text = Array("\(getpid())\n".utf8)
    // The number only serves the message above, so a full disk must not keep the server from starting.
    _ = ftruncate(descriptor, 0)
    _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  deinit { close(descriptor) }

  private static func process(in descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 20)
    // Within bounds: at most the array's count is read.
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    let digits = bytes.prefix(max(count, 0)).prefix { $0 >= 0x30 && $0 <= 0x39 }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
