import Glibc
import Records

/// An open file of the machine; closed when the last reference goes.
final class LocalFile: File {
  let path: String
  private let descriptor: Int32

  init(_ path: String, flags: Int32, operation: DiskOperation) throws(DiskError) {
    // Where a file is made or changed a link is none of ours.
    let own = flags & (O_CREAT | O_RDWR | O_WRONLY) == 0 ? 0 : O_NOFOLLOW
    let descriptor = retrying { unsafe Glibc.open(path, flags | own | O_CLOEXEC, 0o644) }
    if descriptor < 0 { throw diskError(operation, path, code: errno) }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  func size() throws(DiskError) -> Int {
    var status = stat()
    if unsafe fstat(descriptor, &status) != 0 { throw diskError(.measure, path, code: errno) }
    return Int(status.st_size)
  }

  func write(_ bytes: Span<UInt8>, at offset: Int) throws(DiskError) {
    let failure = unsafe bytes.withUnsafeBytes { source -> DiskError? in
      var done = 0
      while done < source.count {
        // Within bounds: done < source.count.
        let left = unsafe UnsafeRawBufferPointer(rebasing: source[done...])
        let written = unsafe pwrite(descriptor, left.baseAddress, left.count, offset + done)
        if written > 0 {
          done += written
        } else if written == 0 || errno != EINTR {
          return diskError(.write, path, at: offset + done, code: written == 0 ? EIO : errno)
        }
      }
      return nil
    }
    if let failure { throw failure }
  }

  func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
    var failure: DiskError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      while filled < count {
        // Within bounds: filled < count, the target's capacity.
        let start = unsafe target.baseAddress.map { unsafe UnsafeMutableRawPointer($0 + filled) }
        let got = unsafe pread(descriptor, start, count - filled, offset + filled)
        if got > 0 {
          filled += got
        } else if got == 0 || errno != EINTR {
          // The end of the file before `count` bytes is an error, told as EIO.
          failure = diskError(.read, path, at: offset + filled, code: got == 0 ? EIO : errno)
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  func sync() throws(DiskError) {
    if retrying({ fdatasync(descriptor) }) != 0 { throw diskError(.sync, path, code: errno) }
  }

  func map(_ range: Range<Int>) throws(DiskError) -> Buffer {
    if range.isEmpty { return .empty }
    let end = try size()
    guard range.lowerBound >= 0, range.upperBound <= end else {
      // A mapping beyond the end would be a SIGBUS at its first use.
      throw diskError(.map, path, at: range.lowerBound, code: EINVAL)
    }
    let start = range.lowerBound & ~(MappingGuard.shared.pageBytes - 1)
    let length = range.upperBound - start
    guard let base = unsafe mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, start),
      unsafe base != MAP_FAILED
    else { throw diskError(.map, path, at: start, code: errno) }
    guard let slot = unsafe MappingGuard.shared.add(base, byteCount: length) else {
      unsafe munmap(base, length)
      throw diskError(.map, path, at: start, code: ENOMEM)
    }
    let owner = unsafe Mapping(base: base, byteCount: length, fileOffset: start, slot: slot)
    // Within bounds: the mapping covers start..<range.upperBound.
    return unsafe Buffer(
      start: UnsafeRawPointer(base) + (range.lowerBound - start), byteCount: range.count, owner: owner)
  }
}

/// A mapped range, unmapped when the last buffer over it goes.
@safe private final class Mapping: FileMapping, @unchecked Sendable {
  // Safe because: the pointer never changes and is used only to unmap.
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int
  private let fileOffset: Int
  private let slot: Int

  @unsafe init(base: UnsafeMutableRawPointer, byteCount: Int, fileOffset: Int, slot: Int) {
    unsafe self.base = base
    self.byteCount = byteCount
    self.fileOffset = fileOffset
    self.slot = slot
  }

  var failedByte: Int? { MappingGuard.shared.failedByte(of: slot).map { $0 + fileOffset } }

  func letGo(_ range: Range<Int>) {
    let mapped = range.clamped(to: fileOffset..<fileOffset + byteCount)
    guard !mapped.isEmpty else { return }
    let start = (mapped.lowerBound - fileOffset) & ~(MappingGuard.shared.pageBytes - 1)
    // Within bounds: the mapping begins at a page. It is advice: where it is refused, the pages stay. A page
    // of zeros that the guard has put there stays one.
    _ = unsafe madvise(base + start, mapped.upperBound - fileOffset - start, MADV_DONTNEED)
  }

  deinit {
    MappingGuard.shared.remove(slot)
    unsafe munmap(base, byteCount)
  }
}
