import Access
import Decoding
import Records
import Routing

/// The one place where errors of other modules become statuses.
extension Problem {
  package init(_ error: StoreError) {
    switch error {
    case .diskFull: self.init(507, "No room to write; nothing was stored. See the server's log.")
    case .headFull(let seconds):
      self.init(
        503, "Archiving lags behind; nothing was stored (journal.head_bytes_max).", retryAfterSeconds: seconds
      )
    case .poisoned:
      self.init(503, "A sync of the disk failed; writes are refused until a restart.", retryAfterSeconds: 30)
    case .stopping: self.init(503, "The server is stopping; nothing was stored.", retryAfterSeconds: 5)
    case .idempotencyMismatch:
      self.init(422, "This Idempotency-Key was used with another body; nothing was stored.")
    case .keysExhausted(let seconds):
      self.init(
        429, "Too many idempotency keys within 15 minutes, or imports within a day; nothing was stored.",
        retryAfterSeconds: seconds)
    case .importElsewhere(let last):
      self.init(409, "This part of the import does not follow what is stored of it; nothing was stored.")
      importStanding = ImportField.text(last)
    case .memoryExhausted(let detail):
      self.init(503, "Not enough memory for this now: \(detail)", retryAfterSeconds: 1)
    case .cancelled: self.init(499, "The client went away before the answer's end.")
    case .deadlineExceeded(let seconds):
      self.init(
        504, "The query took longer than \(seconds) s (query.seconds_max): narrow its times or its filter.")
    case .exhausted:
      self.init(
        503, "The server has no file descriptor left for this; nothing changed.", retryAfterSeconds: 1)
    case .clockStepped(let seconds):
      self.init(
        503, "The server's clock stepped by \(seconds) s and is not believed yet (clock.step_seconds).",
        retryAfterSeconds: 60)
    // Paths and bytes of damaged files are for the log and `cordwood check`, not for clients.
    case .disk, .laterVersion: self.init(500, "The disk failed; see the server's log.")
    case .corrupt: self.init(500, "Stored bytes are damaged; see the server's log and `cordwood check`.")
    case .invalid(let detail): self.init(400, detail)
    case .invalidFilter(let place, let detail):
      self.init(400, "where: character \(place): \(detail)", field: "where")
      character = place - 1
    }
    switch error {
    case .diskFull, .poisoned, .disk, .corrupt, .laterVersion, .memoryExhausted, .exhausted:
      cause = "\(error)"
    case .headFull, .stopping, .idempotencyMismatch, .importElsewhere, .keysExhausted, .clockStepped,
      .invalid, .invalidFilter, .cancelled, .deadlineExceeded:
      break
    }
  }

  package init(_ error: DecodingError) {
    let status =
      switch error.reason {
      case .bodyTooLarge, .tooManyEntries: 413
      default: 400
      }
    self.init(status, error.message, entry: error.entry, byte: error.byte, field: error.field)
  }

  package init(_ error: ValidationFailure) {
    switch error.shortage {
    case nil:
      self.init(422, "Validation error")
      validation = error.errors
    case .momentary: self = .tooManyUploads
    case .lasting:
      self.init(413, "An entry takes more memory to read than uploads may have (limits.upload_bytes_max).")
    }
  }

  package init(_ error: CredentialError) {
    switch error {
    case .missing: self.init(401, "This needs an API key: Authorization: Bearer KEY.")
    case .malformed: self.init(401, "The Authorization header is not of the form Bearer KEY.")
    case .unknown: self.init(401, "The API key is not known.")
    }
  }
}

extension ValidationFaults {
  /// - Throws: 422 with all of them, if there are any.
  func refuse() throws(Problem) {
    do throws(ValidationFailure) { try check() } catch { throw Problem(error) }
  }
}
