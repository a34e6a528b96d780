import Glibc
import Records
import Synchronization

/// SIGTERM and SIGINT as something to wait for, SIGHUP as something to ask for.
package enum StopSignals {
  /// A pipe from the signal handler to ``wait()``: writing a byte is all a handler may do, and blocking the
  /// signals instead does not work, since the main thread of a Swift program parks with every signal let in.
  private static let pipe: (reading: Int32, writing: Int32) = {
    var ends: [Int32] = [-1, -1]
    // An array of two numbers, as pipe(2) wants.
    let made = unsafe Glibc.pipe(&ends)
    invariant(made == 0, "the process may open two more files at its start")
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }()

  /// Catches both from here on; call first thing in `main`. Also makes writes to closed sockets errors
  /// instead of signals.
  package static func catchAll() {
    _ = pipe
    _ = hangups.load(ordering: .relaxed)
    let noteHangup: @convention(c) (Int32) -> Void = { _ in
      // A lock-free word: all a handler may touch.
      StopSignals.hangups.store(true, ordering: .relaxed)
    }
    _ = signal(SIGHUP, noteHangup)
    for number in [SIGTERM, SIGINT] {
      let handler: @convention(c) (Int32) -> Void = { number in
        var byte = UInt8(truncatingIfNeeded: number)
        // A local byte; a full pipe loses nothing, since one byte is enough.
        _ = unsafe write(StopSignals.pipe.writing, &byte, 1)
      }
      _ = signal(number, handler)
    }
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// From here on an interrupt ends the process with 130, as shells have it; also as the first process of a
  /// container, which the signal would not end by itself.
  package static func exitOnInterrupt() {
    let handler: @convention(c) (Int32) -> Void = { _ in _exit(130) }
    _ = signal(SIGINT, handler)
  }

  private static let hangups = Atomic<Bool>(false)

  /// Whether SIGHUP arrived since this was asked last.
  package static func takeHangup() -> Bool { hangups.exchange(false, ordering: .relaxed) }

  /// Waits until one arrives and says which. Blocks: on a thread of its own.
  package static func wait() -> String {
    var byte: UInt8 = 0
    // A local byte that outlives the call.
    while unsafe read(pipe.reading, &byte, 1) != 1 {}
    return Int32(byte) == SIGINT ? "SIGINT" : "SIGTERM"
  }

  /// The process ends as soon as it has said so and its output is written: threads that still work for
  /// nobody, and use what C++ libraries destroy at the end of a program, do no harm. Of what was made before
  /// this is called nothing is destroyed: so it is called last.
  package static func endWithoutDestructors() {
    let handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { status, _ in
      fflush(nil)
      _exit(status)
    }
    // Fails without memory alone: then the end is as it always was.
    _ = unsafe on_exit(handler, nil)
  }

  /// Ends the process at once, as an interrupt does: for a second signal, when somebody cannot wait.
  package static func exitAtOnce() -> Never { _exit(130) }
}

/// What the kernel lets this process have.
package enum ProcessLimits {
  /// Raises the number of files and sockets that may be open to the most allowed; returns it.
  @discardableResult
  package static func raiseOpenFiles() -> Int {
    var limit = rlimit()
    // `limit` is a local that outlives the calls.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }

  /// How many files and sockets may be open.
  package static var openFilesMax: Int {
    var limit = rlimit()
    // `limit` is a local that outlives the call.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    return Int(clamping: limit.rlim_cur)
  }

  /// From now on files and directories that are made are their owner's alone.
  package static func keepFilesPrivate() { _ = umask(0o077) }

  /// From now on a crash writes no memory to the disk: secrets that records were masked of lie in it. No core
  /// file is allowed, and what the system hands to a program of its own instead holds no page of memory.
  ///
  /// - Returns: Whether both could be set.
  package static func forbidCoreDumps() -> Bool {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    // `none` is a local that outlives the call.
    let isLimited = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
    let filter = unsafe open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC)
    guard filter >= 0 else { return false }
    defer { close(filter) }
    // The array outlives the call.
    return unsafe write(filter, [UInt8(ascii: "0")], 1) == 1 && isLimited
  }

  /// Whether the file descriptor is a terminal.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
