import Foundation
import Synchronization

/// Where lines go that could not become records: each as it was, with its line end.
final class RejectsFile: Sendable {
  private let handle: Mutex<FileHandle>
  private let path: String

  /// Appends to `path`, which is made if missing.
  init(_ path: String) throws {
    self.path = path
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let handle = FileHandle(forWritingAtPath: path) else { throw Failure("cannot write \(path)") }
    do { try handle.seekToEnd() } catch { throw Failure("cannot write \(path)") }
    self.handle = Mutex(handle)
  }

  func write(_ lines: [UInt8]) throws {
    let end: [UInt8] = lines.last == 0x0A ? [] : [0x0A]
    let isWritten = handle.withLock { handle in
      // Told below, with the file's name.
      (try? handle.write(contentsOf: Data(lines + end))) != nil
    }
    guard isWritten else { throw Failure("cannot write \(path)") }
  }
}
