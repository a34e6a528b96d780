import Glibc
import Synchronization

/// Turns the signal that reading a mapped file raises, where the file was cut or a sector is bad, into an
/// error of that file.
///
/// A handler of SIGBUS looks the address up among the mappings of this process. For one of them it maps a
/// page of zeros over the page that cannot be read, notes the place, and lets the thread go on; whoever reads
/// asks afterwards whether a place was noted (`FileMapping`). Any other SIGBUS does what it did before
/// (Docs/decisions/0020-guarded-mappings.md).
@safe final class MappingGuard: @unchecked Sendable {
  // Safe because: the pointers never change; slots are atomics, given out and taken back under `free`.
  static let shared = MappingGuard()
  /// A process may have 65,530 mappings by Linux's default; one of ours is of a segment or an open block.
  private static let countMax = 16_384

  private struct Slot: ~Copyable {
    /// The first address; 0: the slot is free.
    let start = Atomic<UInt>(0)
    let end = Atomic<UInt>(0)
    /// One more than the first page's distance from `start` that could not be read; 0: none.
    let failed = Atomic<UInt>(0)
  }

  private let slots: UnsafeMutablePointer<Slot>
  /// Slots that were ever used: what the handler looks at.
  private let usedCount = Atomic<Int>(0)
  private let free = Mutex<[Int]>([])
  private let previous: UnsafeMutablePointer<sigaction>
  /// Of the machine.
  let pageBytes: Int

  private init() {
    pageBytes = max(sysconf(Int32(_SC_PAGESIZE)), 4096)
    unsafe slots = .allocate(capacity: MappingGuard.countMax)
    for index in 0..<MappingGuard.countMax { unsafe (slots + index).initialize(to: Slot()) }
    unsafe previous = .allocate(capacity: 1)
    unsafe previous.initialize(to: sigaction())
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_sigaction = { signal, info, _ in
      unsafe MappingGuard.handle(signal, info)
    }
    action.sa_flags = Int32(bitPattern: UInt32(SA_SIGINFO)) | Int32(bitPattern: UInt32(SA_ONSTACK))
    // It can only fail for a signal that is none.
    _ = unsafe sigaction(SIGBUS, &action, previous)
  }

  /// Takes a mapping in; nil: there is no room. Never reads it.
  func add(_ base: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    let slot = free.withLock { free -> Int? in
      if let known = free.popLast() { return known }
      let next = usedCount.load(ordering: .relaxed)
      guard next < MappingGuard.countMax else { return nil }
      usedCount.store(next + 1, ordering: .releasing)
      return next
    }
    guard let slot else { return nil }
    let start = UInt(bitPattern: base)
    // The start last: until it is there the handler passes the slot by.
    unsafe slots[slot].failed.store(0, ordering: .relaxed)
    unsafe slots[slot].end.store(start + UInt(byteCount), ordering: .relaxed)
    unsafe slots[slot].start.store(start, ordering: .releasing)
    return slot
  }

  /// Gives the slot back, before its mapping goes.
  func remove(_ slot: Int) {
    unsafe slots[slot].start.store(0, ordering: .releasing)
    free.withLock { $0.append(slot) }
  }

  /// The distance from the mapping's start of the first page that could not be read; nil: none.
  func failedByte(of slot: Int) -> Int? {
    let failed = unsafe slots[slot].failed.load(ordering: .acquiring)
    return failed == 0 ? nil : Int(failed - 1)
  }

  /// Runs inside the signal: takes no lock and no memory.
  private static func handle(_ signal: Int32, _ info: UnsafeMutablePointer<siginfo_t>?) {
    let code = errno
    let address = unsafe info.map { unsafe UInt(bitPattern: $0.pointee._sifields._sigfault.si_addr) } ?? 0
    if !shared.patch(address) {
      // Not ours: as if there were no handler. The thread meets the same fault again.
      unsafe sigaction(signal, shared.previous, nil)
      raise(signal)
    }
    errno = code
  }

  /// Maps zeros over the page at `address` if it is of a known mapping; whether it is.
  private func patch(_ address: UInt) -> Bool {
    for index in 0..<usedCount.load(ordering: .acquiring) {
      let start = unsafe slots[index].start.load(ordering: .acquiring)
      guard start != 0, address >= start else { continue }
      let end = unsafe slots[index].end.load(ordering: .acquiring)
      // Asked again: the slot may have changed hands in between.
      guard address < end, unsafe slots[index].start.load(ordering: .acquiring) == start else { continue }
      let page = address & ~UInt(pageBytes - 1)
      let zeros = unsafe mmap(
        UnsafeMutableRawPointer(bitPattern: page), pageBytes, PROT_READ,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
      guard unsafe zeros != MAP_FAILED else { return false }
      _ = unsafe slots[index].failed.compareExchange(
        expected: 0, desired: page - start + 1, ordering: .acquiringAndReleasing)
      return true
    }
    return false
  }
}
