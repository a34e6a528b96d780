import Glibc

/// SIGTERM and SIGINT as something to wait for.
package enum StopSignals {
  /// Blocks both for every thread started from here on; call first thing in `main`, before there are others. Also
  /// makes writes to closed sockets errors instead of signals.
  package static func block() {
    var set = sigset_t()
    // `set` is a local that outlives the calls.
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Waits until one arrives and says which. Blocks: on a thread of its own.
  package static func wait() -> String {
    var set = sigset_t()
    var number: Int32 = 0
    // Locals that outlive the calls.
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
    while unsafe sigwait(&set, &number) != 0 {}
    return number == SIGINT ? "SIGINT" : "SIGTERM"
  }

  /// Ends the process at once: for a second signal, when somebody cannot wait.
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

  /// Whether the file descriptor is a terminal.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
