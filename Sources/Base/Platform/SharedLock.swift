import Glibc
import Records

/// A lock that many may share, in a file of its own. The system drops it when its process ends.
package final class SharedLock: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Opens the lock `path`, a file that is made with mode 600 if missing and stays; takes nothing yet.
  package init(_ path: String) throws(DiskError) {
    self.path = path
    descriptor = retrying { unsafe open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) }
    if descriptor < 0 { throw diskError(.openLock, path, code: errno) }
  }

  /// Shares it, whatever was taken before; waits while another has it alone.
  package func share() throws(DiskError) {
    if retrying({ flock(descriptor, LOCK_SH) }) != 0 { throw diskError(.lock, path, code: errno) }
  }

  deinit { close(descriptor) }

  /// Shares it no more.
  package func release() { _ = retrying { flock(descriptor, LOCK_UN) } }

  /// Whether nobody else shares it: then it is ours alone until it is released, and others wait. Otherwise it
  /// may be lost to us.
  package func takeAlone() -> Bool { retrying { flock(descriptor, LOCK_EX | LOCK_NB) } == 0 }
}
