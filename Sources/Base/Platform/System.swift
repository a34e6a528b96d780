import Glibc
import Records

/// The machine's wall clock.
package struct SystemClock: WallClock {
  package init() {}

  package func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return SystemClock.time(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  /// The time, held within ``years`` so that no sum with it overflows.
  package static func time(seconds: Int64, nanoseconds: Int64) -> Int64 {
    let (start, isFar) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if isFar { return seconds < 0 ? years.lowerBound : years.upperBound }
    let (time, isOver) = start.addingReportingOverflow(nanoseconds)
    return isOver ? years.upperBound : min(max(time, years.lowerBound), years.upperBound)
  }

  /// From 1900 to the end of 2199: what 64 bits of nanoseconds can tell, with decades of room for sums.
  package static let years: ClosedRange<Int64> = -2_208_988_800_000_000_000...7_258_118_400_000_000_000
}

/// The machine's clock that nobody can set; it counts time in which the machine slept.
package struct SystemUptime: UptimeClock {
  package init() {}

  package func uptime() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// The system's random numbers (getrandom through Swift's generator).
package struct SystemEntropy: EntropySource {
  package init() {}

  package func randomUInt64() -> UInt64 {
    UInt64.random(in: .min ... .max)
  }
}

/// Standard input, or another pipe, which may never end.
package enum StandardInput {
  /// Whether there is something, or the end, within so many milliseconds.
  ///
  /// - Parameter descriptor: As in ``read(from:max:restMilliseconds:)``.
  package static func waits(for descriptor: Int32 = 0, milliseconds: Int32) -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // `state` is a local that outlives the call. An interrupted wait is as good as one that came to something:
    // the next read waits.
    return unsafe poll(&state, 1, milliseconds) != 0
  }

  /// Blocks until there is something; then takes what comes until `max` bytes are there, nothing came for
  /// `restMilliseconds`, or the input ends. Empty: at the end.
  ///
  /// - Parameter descriptor: Open for reading, the caller's.
  package static func read(
    from descriptor: Int32 = 0, max: Int, restMilliseconds: Int32
  ) throws(DiskError) -> [UInt8] {
    if descriptor == 0, StandardStreams.isClosed(0) {
      throw diskError(.read, "standard input", code: EBADF)
    }
    let memory = HeapMemory(byteCount: max)
    var count = 0
    while count < max {
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if count > 0 {
        let ready = unsafe poll(&state, 1, restMilliseconds)
        if ready == 0 || ready < 0 && errno != EINTR { break }
        if ready < 0 { continue }
      }
      // Within bounds: `count` is less than `max`.
      let got = unsafe Glibc.read(descriptor, memory.base + count, max - count)
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw diskError(.read, "standard input", code: errno) }
      if got == 0 { break }
      count += got
    }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: memory.base, count: count))
  }
}

/// The allocator's settings for a server that moves large buffers. Glibc's `malloc.h` is not in Swift's Glibc
/// module, so the two functions are looked up by name; without them nothing happens.
package enum MemoryTuning {
  /// Keeps freed memory from piling up in one arena a thread. Call first in `main`, before threads start.
  package static func applyServerSettings() {
    guard let symbol = unsafe dlsym(nil, "mallopt") else { return }
    // The C signature: int mallopt(int, int).
    let mallopt = unsafe unsafeBitCast(symbol, to: (@convention(c) (Int32, Int32) -> Int32).self)
    let trimThreshold: Int32 = -1
    let mapThreshold: Int32 = -3
    let arenasMax: Int32 = -8
    _ = mallopt(arenasMax, 2)
    _ = mallopt(trimThreshold, 16 << 20)
    // Batches of 0.1 to 4 MiB come and go thousands of times a second: below this they are reused from the
    // heap instead of being mapped, faulted in and unmapped each time.
    _ = mallopt(mapThreshold, 8 << 20)
  }

  /// Gives freed memory back to the system; after large work, seldom.
  package static func trim() {
    guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return }
    // The C signature: int malloc_trim(size_t).
    let trim = unsafe unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)
    _ = trim(0)
  }
}

extension DiskError {
  static let exhaustionCodes: Set<Int32> = [EMFILE, ENFILE, ENOMEM, ENOBUFS]
}
