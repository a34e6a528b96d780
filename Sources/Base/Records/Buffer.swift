/// Memory that columns lie in, aligned to 64 bytes as Arrow advises, freed when the last column lets go.
@safe public final class HeapMemory: @unchecked Sendable {
  // Safe because: written by one builder before it is shared, never afterwards.
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  public init(byteCount: Int) {
    self.byteCount = byteCount
    unsafe self.base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 8), alignment: 64)
  }

  deinit { unsafe base.deallocate() }

  /// Eight bytes that nobody reads: an address for empty buffers.
  package static let nothing = HeapMemory(byteCount: 8)
}

/// A run of immutable bytes and the object that keeps them in place: heap memory, a file mapping, or an
/// imported Arrow array. Copying it copies a pointer.
@safe public struct Buffer: @unchecked Sendable {
  // Safe because: the bytes are immutable for as long as `owner` lives, and `owner` is only retained.
  @usableFromInline let start: UnsafeRawPointer
  public let byteCount: Int
  @usableFromInline let owner: AnyObject?

  /// - Parameters:
  ///   - start: First byte; must stay readable and unchanged while `owner` lives.
  ///   - owner: Retained for as long as the buffer is.
  @unsafe public init(start: UnsafeRawPointer, byteCount: Int, owner: AnyObject?) {
    unsafe self.start = start
    self.byteCount = byteCount
    self.owner = owner
  }

  /// The first `byteCount` bytes of `memory`.
  public init(_ memory: HeapMemory, byteCount: Int) {
    invariant(byteCount <= memory.byteCount || byteCount <= 8, "a buffer lies within its memory")
    unsafe self.start = UnsafeRawPointer(memory.base)
    self.byteCount = byteCount
    self.owner = memory
  }

  /// A copy of `elements`.
  public init<T: BitwiseCopyable>(copying elements: [T]) {
    let bytes = elements.count * MemoryLayout<T>.stride
    let memory = HeapMemory(byteCount: bytes)
    unsafe elements.withUnsafeBytes { source in
      if let from = source.baseAddress { unsafe memory.base.copyMemory(from: from, byteCount: bytes) }
    }
    self.init(memory, byteCount: bytes)
  }

  /// The bytes `range` of this buffer, sharing its memory.
  public func slice(_ range: Range<Int>) -> Buffer {
    invariant(range.lowerBound >= 0 && range.upperBound <= byteCount, "a slice lies within its buffer")
    return unsafe Buffer(start: start + range.lowerBound, byteCount: range.count, owner: owner)
  }

  /// Hands the bytes over as elements of `T`. The start must be aligned for `T` (checked).
  @inlinable
  public func withSpan<T: BitwiseCopyable, R: ~Copyable, E: Error>(
    of type: T.Type, _ body: (Span<T>) throws(E) -> R
  ) throws(E) -> R {
    let count = byteCount / MemoryLayout<T>.stride
    invariant(
      unsafe Int(bitPattern: start) & (MemoryLayout<T>.alignment - 1) == 0, "an aligned buffer")
    let elements = unsafe UnsafeBufferPointer(start: start.assumingMemoryBound(to: T.self), count: count)
    return try unsafe body(Span(_unsafeElements: elements))
  }

  /// The raw bytes; valid only while the closure runs.
  @inlinable
  @unsafe
  public func withUnsafeBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }

  /// Whether both are the same bytes of the same memory, not only equal ones. While one of them is held, no
  /// other memory is taken for it.
  package func isSame(as other: Buffer) -> Bool {
    unsafe start == other.start && byteCount == other.byteCount && owner === other.owner
  }

  /// The object that keeps the bytes alive, for handing them to another library without a copy.
  public var retainedOwner: AnyObject? { owner }

  public static let empty = Buffer(HeapMemory(byteCount: 0), byteCount: 0)
}
