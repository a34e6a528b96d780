/// Why the store refused or failed; the edge turns each case into a status.
package enum StoreError: Error, Sendable, Equatable {
  /// No room to write. Nothing changed; writes resume when space is back. (507)
  case diskFull(String)
  /// The head is at its bound because archiving lags. Nothing changed; retry after the seconds. (503)
  case headFull(retryAfterSeconds: Int)
  /// A sync failed earlier, so nothing more is acknowledged until a restart. (503)
  case poisoned(String)
  /// The server is stopping. Nothing changed. (503)
  case stopping
  /// The idempotency key was used with another body. Nothing changed. (422)
  case idempotencyMismatch
  /// The tenant, or all together, have as many idempotency keys as are kept for 15 minutes. Nothing changed;
  /// after the seconds there may be room, and without a key there is. (429)
  case keysExhausted(retryAfterSeconds: Int)
  /// The piece of an import does not follow what is stored of it, which ends with this piece; nil: nothing
  /// is stored of it. Nothing changed. (409)
  case importElsewhere(ImportPart?)
  /// The query needs more memory than `query.memory_bytes_max` allows. (503)
  case memoryExhausted(String)
  /// Whoever asked is gone. Nobody reads this. (499)
  case cancelled
  /// The query took longer than the seconds that `query.seconds_max` allows. (504)
  case deadlineExceeded(seconds: Int)
  /// The process has no descriptor left, or the machine no memory for it. Nothing changed; retry. (503)
  case exhausted(String)
  /// The clock is so many seconds ahead of where it should be (negative: behind): what is old is not known.
  /// Nothing changed; ends when the new time has stayed for `clock.step_seconds`. (503)
  case clockStepped(seconds: Int64)
  /// The disk failed; `context` says doing what, to which file, at which byte. (500)
  case disk(String)
  /// The bytes on disk are not those written. (500)
  case corrupt(file: String, offsetBytes: Int, reason: String)
  /// A later version of the program wrote the file in a format that this one does not know. Nothing is wrong
  /// with it, and nothing was changed. (500)
  case laterVersion(file: String, version: Int)
  /// The request is impossible as asked (a column that does not exist, a broken pattern). (400)
  case invalid(String)
  /// The text of a filter is none, or more is expected: at character `place`, from 1, of Unicode scalars.
  /// (400)
  case invalidFilter(place: Int, detail: String)
}
