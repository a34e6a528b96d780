import Glibc
import Records

/// Memory that may be written while ``Buffer``s over it exist, as a shared file mapping may. What a reader
/// sees of bytes being written meanwhile is undefined; whoever uses it lets readers look only at finished
/// bytes.
@safe package final class SharedMemory: @unchecked Sendable {
  // Safe because: the pointer never changes; writers and readers of the same bytes are kept apart by the
  // owner.
  private let base: UnsafeMutableRawPointer
  /// Reserved at once and for good.
  package let byteCount: Int

  /// `byteCount` zero bytes, at an address of a whole page.
  package init(byteCount: Int) {
    invariant(byteCount > 0, "some bytes")
    self.byteCount = byteCount
    let mapped = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      bug("the system gives us memory")
    }
    unsafe base = mapped
  }

  deinit { unsafe munmap(base, byteCount) }

  /// Copies the bytes to `offset`, within ``byteCount`` (trap beyond). Buffers over the memory show them.
  package func write(_ bytes: Span<UInt8>, at offset: Int) {
    invariant(offset >= 0 && offset + bytes.count <= byteCount, "bytes within the memory")
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      // Within bounds: checked above.
      unsafe (base + offset).copyMemory(from: start, byteCount: source.count)
    }
  }

  /// A copy of the bytes, within ``byteCount`` (trap beyond).
  package func read(_ range: Range<Int>) -> [UInt8] {
    invariant(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes within the memory")
    // Within bounds: checked above.
    return unsafe [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// The bytes `range`, sharing the memory.
  package func buffer(_ range: Range<Int>) -> Buffer {
    invariant(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes within the memory")
    // Within bounds: checked above; the buffer keeps this object.
    return unsafe Buffer(
      start: UnsafeRawPointer(base) + range.lowerBound, byteCount: range.count, owner: self)
  }
}
