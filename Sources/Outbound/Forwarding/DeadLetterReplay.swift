import Codecs
import Columnar
import Platform
import Records

/// What became of dead letters that were sent again.
package struct ReplayReport: Sendable, Hashable {
  /// Accepted, and removed.
  package var accepted: [Int64] = []
  /// Refused again; they stay, with the new reason and one attempt more.
  package var refused: [Int64] = []
  /// Not answered or not tried: they stay as they are.
  package var left: [Int64] = []
  /// Why some are left; nil: none is.
  package var fault: ForwardingFault?

  /// Of no letters.
  package init() {}
}

/// Which letters go next when dead letters of one tenant are sent again: all at once, and on a refusal in
/// halves, down to the one that is refused.
struct ReplayPlan: Sendable {
  /// What goes next comes last.
  private var pieces: [ArraySlice<DeadLetter>]
  private(set) var report = ReplayReport()

  /// - Parameter letters: Of one tenant.
  init(_ letters: [DeadLetter], entriesMax: Int, bytesMax: Int) {
    pieces = []
    var start = 0
    var byteCount = 0
    for (index, letter) in letters.enumerated() {
      if index > start, index - start == entriesMax || byteCount + letter.entry.count > bytesMax {
        pieces.append(letters[start..<index])
        start = index
        byteCount = 0
      }
      byteCount += letter.entry.count
    }
    if start < letters.count { pieces.append(letters[start...]) }
    pieces.reverse()
  }

  /// nil: done.
  var next: ArraySlice<DeadLetter>? { pieces.last }

  /// Takes in what came of the piece `next`; returns the letter that is refused for good.
  mutating func settle(_ outcome: PushOutcome, now: Int64) -> DeadLetter? {
    guard let piece = pieces.popLast(), let first = piece.first else {
      bug("a piece that was sent")
    }
    switch PushVerdict(outcome) {
    case .accepted: report.accepted += piece.map(\.number)
    case .retry(let fault):
      report.fault = fault
      report.left += piece.map(\.number) + pieces.reversed().flatMap { $0.map(\.number) }
      pieces = []
    case .refused(let status, let reason):
      if piece.count > 1 {
        let middle = piece.startIndex + piece.count / 2
        pieces.append(piece[middle...])
        pieces.append(piece[..<middle])
        return nil
      }
      report.refused.append(first.number)
      var letter = first
      letter.attempts += 1
      letter.refusedAt = now
      letter.reason = reason
      letter.status = status
      return letter
    }
    return nil
  }

  /// A JSON push of the letters.
  static func body(_ letters: ArraySlice<DeadLetter>) throws(ColumnarError) -> [UInt8] {
    var writer = JSONWriter(capacity: letters.reduce(64) { $0 + $1.entry.count + 1 })
    writer.append(raw: "{\"streams\":[")
    for (index, letter) in letters.enumerated() {
      if index > 0 { writer.append(UInt8(ascii: ",")) }
      writer.append(raw: letter.entry)
    }
    writer.append(raw: "]}")
    return try writer.withBytes { (bytes: Span<UInt8>) throws(ColumnarError) in
      try BlockCompression.gzip(level: 1).compress(bytes)
    }
  }
}

extension Forwarder {
  /// The most letters one call lists, replays or drops.
  package static let lettersMax = 10_000

  /// Dead letters by number, ascending.
  /// - Parameters:
  ///   - tenant: nil: of all tenants.
  ///   - after: Only greater numbers.
  ///   - limit: Held within 1 and ``lettersMax``.
  package func deadLetters(
    of tenant: Tenant? = nil, after: Int64 = 0, limit: Int = 100
  ) async throws(ForwardingStateError) -> [DeadLetter] {
    try await ports.state.deadLetters(
      of: options.name, tenant: tenant, after: after, limit: min(max(limit, 1), Forwarder.lettersMax))
  }

  /// The dead letters of these numbers, the smallest ``lettersMax`` of them, ascending; numbers of none are
  /// left out.
  package func deadLetters(numbers: [Int64]) async throws(ForwardingStateError) -> [DeadLetter] {
    try await ports.state.deadLetters(
      of: options.name, numbers: Array(numbers.sorted().prefix(Forwarder.lettersMax)))
  }

  /// Removes the dead letters of these numbers, the first ``lettersMax`` of them.
  package func dropDeadLetters(_ numbers: [Int64]) async throws(ForwardingStateError) {
    let counts = try await ports.state.drop(Array(numbers.prefix(Forwarder.lettersMax)), of: options.name)
    perform(.lettersCounted(counts))
  }

  /// Sends the dead letters of these numbers again, the first ``lettersMax`` of them, as JSON, and removes
  /// those that are accepted. Nothing is retried: what Loki does not answer is left for another call. After
  /// an error the report is lost, but what was accepted before it is removed.
  package func replayDeadLetters(_ numbers: [Int64]) async throws(ForwardingStateError) -> ReplayReport {
    let letters = try await ports.state.deadLetters(
      of: options.name, numbers: Array(numbers.prefix(Forwarder.lettersMax)))
    var report = ReplayReport()
    var tenants: [Tenant] = []
    for letter in letters where !tenants.contains(letter.tenant) { tenants.append(letter.tenant) }
    for tenant in tenants {
      let own = letters.filter { $0.tenant == tenant }
      if report.fault != nil {
        report.left += own.map(\.number)
        continue
      }
      let part = try await replay(own, of: tenant)
      report.accepted += part.accepted
      report.refused += part.refused
      report.left += part.left
      report.fault = part.fault
    }
    return report
  }

  private func replay(
    _ letters: [DeadLetter], of tenant: Tenant
  ) async throws(ForwardingStateError) -> ReplayReport {
    var plan = ReplayPlan(
      letters, entriesMax: options.limits.pushEntriesMax, bytesMax: options.limits.pushBytesMax)
    while let piece = plan.next {
      let body: [UInt8]? = await ports.workers.run {
        // Memory ran out: the letters are left.
        try? ReplayPlan.body(piece)
      }
      var outcome = PushOutcome.failed(.cancelled)
      if let body {
        outcome = await ports.transport.push(
          PushRequest(
            tenant: tenant, body: body, contentType: "application/json", contentEncoding: "gzip",
            entryCount: piece.count))
      }
      let acceptedBefore = plan.report.accepted.count
      let refused = plan.settle(outcome, now: ports.clock.now())
      let accepted = Array(plan.report.accepted.dropFirst(acceptedBefore))
      if !accepted.isEmpty { try await dropDeadLetters(accepted) }
      if let refused {
        let change = ForwardingChange(
          letters: [refused], lettersPerTenantMax: options.limits.deadLettersPerTenantMax)
        perform(.lettersCounted(try await ports.state.save(change, of: options.name)))
      }
    }
    return plan.report
  }
}
