import Glibc

/// What becomes of the process when it traps.
package enum CrashSignals {
  /// Call first in `main`. Has a trap end the process at once, as the system does it, with a core dump where
  /// those are on.
  ///
  /// Swift's runtime starts a program of its own before, which reads the whole binary to print a backtrace:
  /// 24 s for the server, in which its port stays taken and nothing restarts it. Whoever wants that sets
  /// `SWIFT_BACKTRACE`.
  package static func endAtOnce() {
    guard unsafe getenv("SWIFT_BACKTRACE") == nil else { return }
    for crash in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] {
      _ = signal(crash, SIG_DFL)
    }
  }
}
