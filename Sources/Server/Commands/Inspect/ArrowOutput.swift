import Foundation
import Platform
import Records

/// A file that takes an Arrow stream's bytes. They are written beside it, so that the file is never half of
/// one: it is made, or replaced, by ``finish()``. Without that nothing is left.
final class ArrowOutput {
  private let path: String
  private let part: String
  private let file: any File
  private var written = 0
  private var isFinished = false
  /// Why a write failed; nothing is written afterwards.
  private(set) var failure: DiskError?

  init(_ path: String) throws(Failure) {
    // A link keeps pointing where it does: what it names is replaced.
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard ArrowOutput.isReplaceable(target) else {
      throw Failure("cannot write \(path): it is no regular file")
    }
    self.path = target
    part = "\(target).\(ProcessInfo.processInfo.processIdentifier).part"
    do throws(DiskError) {
      // Left by a process of our number that was killed.
      if try LocalFileSystem().exists(part) { try LocalFileSystem().remove(part) }
      file = try LocalFileSystem().create(part)
    } catch { throw Failure("\(error)") }
  }

  deinit {
    guard !isFinished else { return }
    // The command fails already; what is left over is named after what it was to be.
    do throws(DiskError) { try LocalFileSystem().remove(part) } catch {}
  }

  /// False when the disk refused.
  func write(_ bytes: Span<UInt8>) -> Bool {
    guard failure == nil else { return false }
    do throws(DiskError) {
      try file.write(bytes, at: written)
      written += bytes.count
    } catch { failure = error }
    return failure == nil
  }

  /// Puts what was written in the file's place.
  func finish() throws(DiskError) {
    try file.sync()
    try LocalFileSystem().rename(part, to: path)
    isFinished = true
  }

  /// Neither a folder nor a device, which a file must not take the place of.
  private static func isReplaceable(_ path: String) -> Bool {
    // What cannot be looked at is not there, or the writing says why.
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return true }
    return attributes[.type] as? FileAttributeType == .typeRegular
  }
}
