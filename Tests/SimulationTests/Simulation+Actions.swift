import Journaling
import Platform
import Records
import Storage
import TestKit

extension Simulation {
  func perform(_ action: Swarm.Action) throws {
    switch action {
    case .append: try append([request(rowCount: number(1...5))])
    case .appendMany: try append((0..<number(2...6)).map { _ in request(rowCount: number(1...12)) })
    case .appendLarge: try append([request(rowCount: number(100...400))])
    case .repeatKey: try repeatKey()
    case .archive: try archive(partition(), below: .max)
    case .archiveSome: for partition in engine.partitionsDue() { try archive(partition, below: .max) }
    case .release: release(unreleased)
    case .compact: try attempt("compact") { () throws(StoreError) in note("  \(try engine.compact())") }
    case .delete: try delete()
    case .retain: try retain()
    case .verify: try verifyAll()
    case .query: try query()
    case .holdSnapshot: holdSnapshot()
    case .checkSnapshot: for held in snapshots { try check(held) }
    case .dropSnapshot: if !snapshots.isEmpty { snapshots.remove(at: number(0...snapshots.count - 1)) }
    case .emptyTrash: engine.emptyTrash()
    case .advanceClock:
      clock.advance(seconds: [1, 30, 61, 700, 4000, 90_000][number(0...5)])
    case .turnClockBack:
      clock.advance(seconds: -number(1...500))
    case .powerCut: try restart(powerCut: true)
    case .kill: try restart(powerCut: false)
    case .stop: try stop()
    case .fillDisk:
      quotaBytes = number(0...200_000)
      disk.setQuota(quotaBytes)
    case .freeDisk:
      quotaBytes = 1 << 40
      disk.setQuota(quotaBytes)
    case .startFaults: startFaults()
    case .stopFaults: stopFaults()
    }
  }

  /// As a server stops. What the disk refuses of it is not told to anybody: then it was no clean stop.
  private func stop() throws {
    try attempt("stop") { () throws(StoreError) in
      try journal.finish()
      try engine.seal()
    }
    try restart(powerCut: generator.chance(oneIn: 2))
  }

  func append(_ requests: [ModelRequest]) throws {
    let floors = model.positionEnd
    let results = journal.commit(requests.map { $0.appendRequest })
    for (request, result) in zip(requests, results) {
      switch result {
      case .success(let receipt):
        note("  \(request.partition) \(request.rows.count) rows at \(receipt.firstPosition)")
        if receipt.isReplay { throw violation("a new request is taken for a repeat") }
        if let problem = model.add(request, receipt, floor: floors[request.partition.tenant] ?? 0) {
          throw violation(problem)
        }
        if let key = request.key {
          let known = Model.KnownKey(tenant: request.partition.tenant, key: key.key)
          model.answered[known] = Model.Answered(
            request: request, firstPosition: receipt.firstPosition, answeredAt: clock.uptime())
        }
      case .failure(let error):
        note("  \(request.partition) \(request.rows.count) rows: \(error)")
        try judge(error, "append")
        if error.isPoisoned {
          var open = request
          open.sentAt = clock.uptime()
          model.openRequests.append(open)
        }
      }
    }
  }

  /// Errors there is no cause for.
  func judge(_ error: StoreError, _ what: String) throws {
    switch error {
    case .poisoned, .headFull, .exhausted: break
    case .diskFull, .disk: if !hasFaults && quotaBytes == 1 << 40 { throw violation("\(what): \(error)") }
    case .corrupt, .laterVersion, .invalid, .invalidFilter, .stopping, .idempotencyMismatch, .importElsewhere,
      .keysExhausted,
      .memoryExhausted, .clockStepped, .cancelled, .deadlineExceeded:
      throw violation("\(what): \(error)")
    }
  }

  func attempt(_ what: String, _ body: () throws(StoreError) -> Void) throws {
    do throws(StoreError) { try body() } catch {
      note("  \(what): \(error)")
      try judge(error, what)
    }
  }

  /// Sends again what was answered, or another body under its key, within the time a key is known.
  private func repeatKey() throws {
    let known = model.answered.filter { clock.uptime() - $0.value.answeredAt < 900_000_000_000 }
    let keys = known.keys.sorted { ($0.tenant.description, $0.key) < ($1.tenant.description, $1.key) }
    if keys.isEmpty { return }
    let key = pick(keys)
    guard let answered = known[key], let sent = answered.request.key else { return }
    var repeated = answered.request
    let isOther = generator.chance(oneIn: 4)
    if isOther {
      repeated.key = IdempotencyKey(
        key: sent.key, credential: sent.credential, bodyHash: [UInt8](repeating: 9, count: 16), answer: [])
    }
    switch journal.commit([repeated.appendRequest])[0] {
    case .success(let receipt):
      if isOther { throw violation("another body is taken for a repeat") }
      if !receipt.isReplay || receipt.firstPosition != answered.firstPosition
        || receipt.rowCount != repeated.rows.count || receipt.answer != sent.answer
      {
        throw violation("a repeat is answered with \(receipt)")
      }
    case .failure(.idempotencyMismatch):
      if !isOther { throw violation("a repeat is refused as another body") }
    case .failure(let error):
      note("  \(error)")
      guard error.isPoisoned else { throw violation("a repeat fails: \(error)") }
    }
  }

  func request(rowCount: Int) -> ModelRequest { request(rowCount: rowCount, of: partition()) }

  func request(rowCount: Int, of partition: Partition) -> ModelRequest {
    var rows: [ModelRow] = []
    for _ in 0..<rowCount {
      recordCount += 1
      let words = ["alpha", "beta", "gamma beta", ""]
      var row = ModelRow(
        position: 0, id: [], timestamp: clock.now() + Int64(number(-20...20)) * 500_000_000, ingestedAt: 0,
        level: generator.chance(oneIn: 4) ? nil : pick(["INFO", "WARN", "ERROR"]),
        message: "\(pick(words)) r\(recordCount)")
      switch partition.dataset {
      case .sessions:
        row.container = pick(["c", "cc", "d"])
        row.session = pick(["1", "10", "2"])
      case .logs:
        row.metadata = generator.chance(oneIn: 3) ? nil : pick(["{\"k\":\"a\"}", "{\"k\":7}", "{}"])
      default: break
      }
      rows.append(row)
    }
    var key: IdempotencyKey?
    if generator.chance(oneIn: 3) {
      keyCount += 1
      key = IdempotencyKey(
        key: "key \(keyCount)", credential: 1, bodyHash: [UInt8](repeating: 1, count: 16),
        answer: Array("answer \(keyCount)".utf8))
    }
    return ModelRequest(partition: partition, rows: rows, key: key)
  }

  func archive(_ partition: Partition, below positionEnd: Int64) throws {
    try attempt("archive \(partition)") { () throws(StoreError) in
      guard let step = try engine.archive(partition, below: positionEnd) else { return }
      note("  \(partition) \(step.rowCount) rows, through \(step.archivedThrough)")
      unreleased.append(step)
    }
    if !generator.chance(oneIn: 4) { release(unreleased) }
  }

  func release(_ steps: [ArchiveStep]) {
    var through: [Partition: Int64] = [:]
    for step in steps { through[step.partition] = max(through[step.partition] ?? 0, step.archivedThrough) }
    // In an order of its own each time: the journal must not care.
    journal.release(through)
    unreleased = []
  }

  private func delete() throws {
    let partition = partition()
    let filter = filter(of: partition.dataset)
    let positionEnd = engine.snapshot(of: partition).positionEnd
    var expected = model
    let count = expected.delete(filter, from: partition, below: positionEnd)
    do throws(StoreError) {
      let deleted = try engine.delete(filter.predicate, from: partition)
      note("  \(partition) \(filter.predicate): \(deleted)")
      if deleted != count { throw StoreError.invalid("\(deleted) rows deleted, not \(count)") }
      model = expected
    } catch {
      note("  \(error)")
      try judge(error, "delete")
      if error.isPoisoned { model.openDeletions.append((partition, filter, positionEnd)) }
    }
  }

  private func retain() throws {
    let now = clock.now()
    var cutoffs: [Dataset: Int64] = [:]
    for (dataset, seconds) in swarm.options.retentionSeconds {
      cutoffs[dataset] = now - Int64(seconds) * 1_000_000_000
    }
    let usage = engine.usage()
    do throws(StoreError) {
      let dropped = try engine.retain()
      note("  \(dropped) rows")
    } catch {
      note("  retain: \(error)")
      try judge(error, "retain")
      if error.isPoisoned {
        for (dataset, cutoff) in cutoffs {
          model.openRetention[dataset] = max(cutoff, model.openRetention[dataset] ?? .min)
        }
      }
      return
    }
    if hasFaults { stopFaults() }
    for partition in partitions {
      guard let cutoff = cutoffs[partition.dataset] else { continue }
      let found = Set(try scan(partition, .unordered).map(\.message))
      let before = model.rows[partition] ?? []
      model.rows[partition] = before.filter { $0.ingestedAt > cutoff || found.contains($0.message) }
      let isArchived = usage.first { $0.partition == partition }?.headRows ?? 0 == 0
      if isArchived, before.allSatisfy({ $0.ingestedAt <= cutoff }), !found.isEmpty {
        throw violation("\(found.count) rows that are all too old are kept")
      }
    }
  }

  func filter(of dataset: Dataset) -> ModelFilter {
    let level = pick(["INFO", "WARN", "ERROR", "none"])
    let digit = "\(number(0...9))"
    let position = Int64(number(0...300))
    let time = clock.now() - Int64(number(0...1000)) * 1_000_000_000
    let isQueries = dataset == .queries
    let levelColumn = ColumnPath(isQueries ? "status" : "level")
    let textColumn = ColumnPath(isQueries ? "query" : "message")
    var filters = [
      ModelFilter(predicate: .compare(levelColumn, .equal, .string(level))) { $0.level == level },
      ModelFilter(predicate: .not(.compare(levelColumn, .equal, .string(level)))) { $0.level != level },
      ModelFilter(predicate: .contains(textColumn, needle: digit, ignoreCase: false)) {
        $0.message.contains(digit)
      },
      ModelFilter(predicate: .word(textColumn, "beta")) {
        $0.message.split(separator: " ").contains("beta")
      },
      ModelFilter(predicate: .compare(ColumnPath("position"), .less, .int64(position))) {
        $0.position < position
      },
      ModelFilter(predicate: .compare(ColumnPath("timestamp"), .less, .timestamp(time))) {
        $0.timestamp < time
      },
    ]
    if dataset == .logs {
      let path = ColumnPath("metadata", members: ["k"])
      filters.append(
        ModelFilter(predicate: .compare(path, .equal, .string("a"))) { $0.metadata == "{\"k\":\"a\"}" })
    }
    let first = pick(filters)
    if generator.chance(oneIn: 2) { return first }
    let second = pick(filters)
    return ModelFilter(predicate: .and([first.predicate, second.predicate])) {
      first.matches($0) && second.matches($0)
    }
  }
}

extension ModelRequest {
  var appendRequest: AppendRequest {
    let schema = partition.dataset.schema
    let columns = schema.declaredFields.map { field in
      switch field.name {
      case "timestamp": return Column(timestamps: rows.map(\.timestamp))
      case "level", "status": return text(field) { $0.level }
      case "message", "query": return text(field) { $0.message }
      case "container": return text(field) { $0.container }
      case "session": return text(field) { $0.session }
      case "metadata": return text(field) { $0.metadata }
      case "user_id": return text(field) { _ in "u" }
      default: return Column.nulls(type: field.type, rowCount: rows.count)
      }
    }
    let batch = RecordBatch(fields: schema.declaredFields, columns: columns, rowCount: rows.count)
    return AppendRequest(batch: batch, partition: partition, idempotency: key)
  }

  private func text(_ field: Field, _ value: (ModelRow) -> String?) -> Column {
    var builder = TextBuilder()
    for row in rows {
      if let text = value(row) { builder.appendRow(text) } else { builder.appendNull() }
    }
    return builder.finish(type: field.type)
  }
}
