import Records

/// What an answer means for the entries it answers.
enum PushVerdict: Sendable, Hashable {
  case accepted
  /// The same again later.
  case retry(ForwardingFault)
  /// At least one of the entries will never be accepted.
  case refused(status: Int, RefusalReason)

  init(_ outcome: PushOutcome) {
    switch outcome {
    case .failed(let failure): self = .retry(.noAnswer(failure))
    case .answered(let status, _, let text):
      switch status {
      case 200..<300: self = .accepted
      case 408, 425, 429, 500...: self = .retry(.busy(status: status))
      case 413: self = .refused(status: status, .tooLarge)
      case 400, 409, 411, 412, 414, 416, 422, 431: self = .refused(status: status, RefusalReason(text))
      // 401, 403, 404, 405, 415, redirects and what is no status: nothing the entries can help.
      default: self = .retry(.configuration(status: status))
      }
    }
  }
}

extension RefusalReason {
  /// By the words of Loki's errors.
  init(_ text: String) {
    let text = text.lowercased()
    func has(_ words: String...) -> Bool { words.contains { text.contains($0) } }
    if has("too old") {
      self = .tooOld
    } else if has("too far behind", "out of order") {
      self = .tooFarBehind
    } else if has("too new") {
      self = .tooNew
    } else if has("max entry size", "line too long", "too large") {
      self = .tooLarge
    } else if has("structured metadata") {
      self = .structuredMetadata
    } else if has("label") {
      self = .labels
    } else {
      self = .other
    }
  }
}

extension ForwardingEngine {
  /// Takes in how a push ended.
  mutating func settle(_ tenant: Tenant, _ report: PushReport, now: Int64, chance: UInt64) {
    guard let lane = lanes[tenant], case .pushing(let asked) = lane.stage, let window = lane.window else {
      bug("a push that was asked for")
    }
    invariant(report.rowCount >= 1 && report.rowCount <= asked.count, "rows that were asked for")
    let rows = asked.lowerBound..<asked.lowerBound + report.rowCount
    var status = 0
    var retryAfter: Double?
    if case .answered(let code, let header, _) = report.outcome {
      status = code
      retryAfter = header.flatMap { RetryAfter.seconds($0, now: now) }
    }
    metrics.record(status: status, seconds: report.seconds, bytes: report.byteCount)
    if lane.failures > 0 { countRetry(tenant) }
    switch PushVerdict(report.outcome) {
    case .accepted:
      succeed(tenant)
      let bytesMax = options.limits.pushBytesMax
      update(tenant) {
        $0.figures.entriesForwarded += rows.count
        $0.bytesMax = min($0.bytesMax + max(1, bytesMax / 64), bytesMax)
      }
      advance(tenant, to: ForwardingEngine.end(of: rows, in: window), forwarded: rows.count, now)
      endTurn(tenant, now)
    case .retry(let fault):
      wait(tenant, fault: fault, asked: retryAfter, now: now, chance: chance)
    case .refused(let status, let reason):
      succeed(tenant)
      if rows.count == 1 {
        bury(rows.lowerBound, of: window, tenant, status: status, reason, now)
      } else if status == 413 {
        // The first rows that fit go next.
        update(tenant) { $0.bytesMax = max(1, report.plainByteCount / 2) }
      } else {
        update(tenant) { $0.split(rows, of: window) }
      }
      endTurn(tenant, now)
    }
  }

  /// Loki answered about the entries: nothing is wrong with the way there.
  private mutating func succeed(_ tenant: Tenant) {
    update(tenant) {
      $0.failures = 0
      $0.figures.fault = nil
      $0.figures.isParked = false
    }
  }

  private mutating func countRetry(_ tenant: Tenant) {
    let last = options.retry.delaysSeconds.count
    update(tenant) { lane in
      if lane.figures.retries.isEmpty { lane.figures.retries = [Int](repeating: 0, count: last + 1) }
      lane.figures.retries[min(lane.failures, last + 1) - 1] += 1
    }
  }

  /// The position of the row behind `rows`, or the window's end.
  private static func end(of rows: Range<Int>, in window: EntryWindow) -> Int64 {
    rows.upperBound < window.rowCount ? window.positions[rows.upperBound] : window.coveredEnd
  }

  /// Puts the row among the dead letters and goes on behind it; both become durable together.
  private mutating func bury(
    _ row: Int, of window: EntryWindow, _ tenant: Tenant, status: Int, _ reason: RefusalReason, _ now: Int64
  ) {
    let encoder = LokiEncoder(mapping: options.mapping, format: options.format)
    let letter = DeadLetter(
      tenant: tenant, position: window.positions[row], id: window.id(row), timestamp: window.timestamp(row),
      ingestedAt: window.ingestedAt(row), refusedAt: now, reason: reason, status: status, attempts: 1,
      entry: encoder.streamObject(window, row: row))
    update(tenant) { $0.letters.append(letter) }
    advance(tenant, to: ForwardingEngine.end(of: row..<row + 1, in: window), forwarded: 1, now)
  }
}
