import Glibc
import Records

/// Files that nobody but their owner may read.
package enum PrivateFile {
  private static let mode: mode_t = 0o600

  /// Makes an empty file of mode 600 unless `path` exists.
  package static func makeIfMissing(_ path: String) throws(DiskError) {
    let descriptor = retrying { unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode) }
    guard descriptor >= 0 else { throw diskError(.create, path, code: errno) }
    close(descriptor)
  }

  /// Replaces the file by `bytes`, whole or not at all, mode 600 from its first byte on.
  package static func write(_ bytes: [UInt8], to path: String) throws(DiskError) {
    let part = path + ".\(getpid()).part"
    let descriptor = retrying { unsafe open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
    guard descriptor >= 0 else { throw diskError(.create, part, code: errno) }
    var written = 0
    while written < bytes.count {
      // Within bounds: `written` is less than the array's count.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + written }, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let code = errno
        close(descriptor)
        _ = unsafe unlink(part)
        throw diskError(.write, part, code: code)
      }
      written += count
    }
    let isSynced = retrying { fsync(descriptor) } == 0
    close(descriptor)
    guard isSynced, unsafe Glibc.rename(part, path) == 0 else {
      let code = errno
      _ = unsafe unlink(part)
      throw diskError(.write, path, code: code)
    }
  }

  /// Gives `path` to the owner of `other`, where the process may: so an administrator's command leaves
  /// nothing that the server may not open.
  package static func give(_ path: String, toOwnerOf other: String) throws(DiskError) {
    var (mine, theirs) = (stat(), stat())
    guard unsafe stat(path, &mine) == 0, unsafe stat(other, &theirs) == 0,
      mine.st_uid != theirs.st_uid || mine.st_gid != theirs.st_gid
    else { return }
    if unsafe lchown(path, theirs.st_uid, theirs.st_gid) != 0 {
      let code = errno
      // Who is not root may not give away, and need not.
      if code != EPERM { throw diskError(.create, path, code: code) }
    }
  }

  /// Whether others than the owner may read or write the file; nil if there is none.
  package static func isOpenToOthers(_ path: String) -> Bool? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return status.st_mode & 0o077 != 0
  }
}

/// The terminal the process was started from.
package enum Terminal {
  /// Ctrl-C.
  private static let interrupt: UInt8 = 3

  /// Asks for a line on the terminal, shown while it is typed or not; nil without a terminal or at its end.
  /// An interrupt ends the process with 130, and what is typed is shown again.
  package static func ask(_ prompt: String, isShown: Bool) -> String? {
    let descriptor = retrying { unsafe open("/dev/tty", O_RDWR | O_CLOEXEC) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    say(prompt, to: descriptor)
    var settings = termios()
    let isTerminal = unsafe tcgetattr(descriptor, &settings) == 0
    let before = settings
    if isTerminal, !isShown {
      // Without signals an interrupt is a byte, so that the terminal is put right first.
      settings.c_lflag &= ~tcflag_t(ECHO | ISIG)
      unsafe tcsetattr(descriptor, TCSAFLUSH, &settings)
    }
    func showAgain() {
      guard isTerminal, !isShown else { return }
      settings = before
      unsafe tcsetattr(descriptor, TCSAFLUSH, &settings)
      say("\n", to: descriptor)
    }
    defer { showAgain() }
    var line: [UInt8] = []
    while true {
      var byte: UInt8 = 0
      // A local byte that outlives the call.
      let count = unsafe read(descriptor, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
      if byte == Terminal.interrupt, isTerminal, !isShown {
        showAgain()
        StopSignals.exitAtOnce()
      }
      if byte == 10 { return String(decoding: line, as: UTF8.self) }
      if byte != 13 { line.append(byte) }
    }
  }

  private static func say(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    // A prompt that cannot be shown: the answer may come all the same.
    _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
  }
}
