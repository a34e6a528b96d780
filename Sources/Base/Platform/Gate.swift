import Glibc
import Records

/// Lets threads of our own (never Swift's shared pool) wait until another has opened it. Stays open.
@safe package final class Gate: @unchecked Sendable {
  // Safe because: every access to `isOpen` holds `lock`.
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let opened: UnsafeMutablePointer<pthread_cond_t>
  private var isOpen = false

  package init() {
    unsafe lock = .allocate(capacity: 1)
    unsafe opened = .allocate(capacity: 1)
    unsafe lock.initialize(to: pthread_mutex_t())
    unsafe opened.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(opened, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(opened)
    unsafe pthread_mutex_destroy(lock)
    unsafe opened.deallocate()
    unsafe lock.deallocate()
  }

  /// Lets all through who wait and who come later. Any thread.
  package func open() {
    unsafe pthread_mutex_lock(lock)
    isOpen = true
    unsafe pthread_mutex_unlock(lock)
    unsafe pthread_cond_broadcast(opened)
  }

  /// Blocks until ``open()`` was called.
  package func wait() {
    unsafe pthread_mutex_lock(lock)
    while !isOpen { unsafe pthread_cond_wait(opened, lock) }
    unsafe pthread_mutex_unlock(lock)
  }
}
