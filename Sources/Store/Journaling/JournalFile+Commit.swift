import Codecs
import Platform
import Records
import Synchronization

extension JournalFile {
  /// Commits the requests together: one write a segment touched, one sync. One result for each, in order. On
  /// every error but
  /// `poisoned` nothing of the request was kept.
  package func commit(_ requests: [AppendRequest]) -> [Result<AppendReceipt, StoreError>] {
    if let failure = writeFailure { return requests.map { _ in .failure(failure) } }
    let now = max(0, clock.now())
    let second = running.now()
    keys.expire(now: second)
    var draft = CommitDraft(requestCount: requests.count, now: now, second: second)
    admit(requests, into: &draft)
    if !draft.groups.isEmpty {
      do throws(StoreError) {
        try checkFreeSpace()
        try reserve(rowCount: draft.admitted.reduce(0) { $0 + requests[$1].batch.rowCount })
        encode(requests, &draft)
        try write(&draft)
        publish(requests, draft)
        hasFailedCommit = false
        reporter.done(.commit)
      } catch {
        head.withLock { $0.statistics.failedCommits += 1 }
        hasFailedCommit = true
        reporter.failed(.commit, file: directory, error)
        for index in draft.admitted { draft.results[index] = .failure(error) }
      }
    }
    for (index, first) in draft.repeats { draft.results[index] = repeated(draft.results[first]) }
    buffer.removeAll(keeping: 4 << 20)
    return draft.results.map { result in
      guard let result else { bug("every request has an answer") }
      return result
    }
  }

  private func repeated(
    _ result: Result<AppendReceipt, StoreError>?
  ) -> Result<AppendReceipt, StoreError>? {
    guard case .success(let receipt)? = result else { return result }
    return .success(
      AppendReceipt(
        firstPosition: receipt.firstPosition, rowCount: receipt.rowCount, firstID: receipt.firstID,
        ingestedAt: receipt.ingestedAt, isReplay: true, answer: receipt.answer))
  }

  /// Answers repeats and what does not fit into the head; groups the rest by partition in order of arrival.
  private func admit(_ requests: [AppendRequest], into draft: inout CommitDraft) {
    let (headBytes, headFrames) = head.withLock { ($0.byteCount, $0.frameCount) }
    var bytes = headBytes
    for (index, request) in requests.enumerated() {
      let key = request.idempotency.map { ScopedKey($0, of: request.partition.tenant) }
      if let key, let once = request.idempotency {
        if answer(index, once, key, requests, &draft) { continue }
        if let seconds = secondsToWait(for: key, draft) {
          draft.results[index] = .failure(.keysExhausted(retryAfterSeconds: seconds))
          continue
        }
      }
      guard bytes + request.bytes <= options.headBytesMax,
        headFrames + draft.groups.count < options.headFramesMax
      else {
        draft.results[index] = .failure(.headFull(retryAfterSeconds: options.retryAfterSeconds))
        continue
      }
      bytes += request.bytes
      if let key, let once = request.idempotency { draft.note(index, once, key) }
      draft.admitted.append(index)
      draft.add(index, of: request.partition)
    }
  }

  /// Answers request `index` if its key says that it is a repeat, or not to be stored.
  private func answer(
    _ index: Int, _ once: IdempotencyKey, _ key: ScopedKey, _ requests: [AppendRequest],
    _ draft: inout CommitDraft
  ) -> Bool {
    // An earlier one in this very commit: a repeat shares its fate.
    let earlier = draft.latest[key].flatMap { number in requests[number].idempotency.map { (number, $0) } }
    let entry = earlier == nil ? known(key, now: draft.second) : nil
    if let part = once.part {
      let last = earlier?.1.part ?? entry?.part(of: key.key)
      guard let last, part.repeats(last) else {
        if part.follows(last) { return false }
        draft.results[index] = .failure(.importElsewhere(last))
        return true
      }
    } else {
      guard let bodyHash = earlier?.1.bodyHash ?? entry?.bodyHash else {
        return answerAsEarlier(index, once, key, &draft)
      }
      guard bodyHash == once.bodyHash else {
        draft.results[index] = .failure(.idempotencyMismatch)
        return true
      }
    }
    if let earlier { draft.repeats.append((index, earlier.0)) }
    if let entry { draft.results[index] = .success(entry.receipt(for: key)) }
    return true
  }

  /// Answers request `index` if an earlier version stored it.
  private func answerAsEarlier(
    _ index: Int, _ once: IdempotencyKey, _ key: ScopedKey, _ draft: inout CommitDraft
  ) -> Bool {
    guard let earlier = once.earlier else { return false }
    let plain = ScopedKey(tenant: key.tenant, credential: key.credential, key: earlier.key)
    guard let entry = known(plain, now: draft.second) else { return false }
    draft.results[index] =
      entry.bodyHash == earlier.bodyHash
      ? .success(entry.receipt(for: plain)) : .failure(.idempotencyMismatch)
    return true
  }

  private func known(_ key: ScopedKey, now: Int64) -> KeyEntry? {
    key.isImport ? imports.entry(key, now: now) : keys.entry(key, now: now)
  }

  private func secondsToWait(for key: ScopedKey, _ draft: CommitDraft) -> Int? {
    guard key.isImport else {
      return keys.secondsToWait(for: key.tenant, beside: draft.keyDrafts, now: draft.second)
    }
    // One that is known takes the place it has.
    if draft.latest[key] != nil || imports.entry(key, now: draft.second) != nil { return nil }
    return imports.secondsToWait(for: key.tenant, beside: draft.importDrafts, now: draft.second)
  }

  /// Throws unless the reserve is left on the volume.
  func checkFreeSpace() throws(StoreError) {
    let free: Int
    do throws(DiskError) { free = try fileSystem.freeBytes(at: directory) } catch {
      throw JournalFile.refusal(error)
    }
    if free < options.writeReserveBytes {
      throw .diskFull("\(free) bytes are free, storage.write_reserve_bytes is \(options.writeReserveBytes)")
    }
  }

  /// Gives positions and ids and encodes the frames.
  private func encode(_ requests: [AppendRequest], _ draft: inout CommitDraft) {
    let milliseconds = draft.now / 1_000_000
    let ingestedAt = milliseconds * 1_000_000
    let encoder = FrameEncoder(buffer: buffer)
    for group in draft.groups {
      var position =
        draft.nextPositions[group.partition.tenant] ?? nextPositions[group.partition.tenant]
        ?? positionBase
      var run = FrameRun(
        partition: group.partition, ingestedAt: ingestedAt, bytesMax: options.frameBytesMax, encoder: encoder)
      for index in group.requests {
        let request = requests[index]
        let id = UUIDv7.make(
          milliseconds: milliseconds, random: (entropy.randomUInt64(), entropy.randomUInt64()))
        let receipt = AppendReceipt(
          firstPosition: position, rowCount: request.batch.rowCount, firstID: id, ingestedAt: ingestedAt,
          answer: request.idempotency?.answer ?? [])
        draft.results[index] = .success(receipt)
        let key = request.idempotency.map { once in
          (
            key: ScopedKey(once, of: request.partition.tenant),
            entry: KeyEntry(once, receipt, madeAt: running.stamp())
          )
        }
        if let key { draft.keys.append(key) }
        run.append(request, id: id, key: key, position: position, frames: &draft.frames)
        position += Int64(receipt.rowCount)
      }
      run.flush(frames: &draft.frames)
      draft.nextPositions[group.partition.tenant] = position
    }
  }

  /// Keeps a key that is durable.
  func know(_ key: ScopedKey, _ entry: KeyEntry, segment: UInt32, now: Int64) {
    if key.isImport {
      imports.insert(key, entry, segment: segment)
    } else {
      keys.insert(key, entry, segment: segment, now: now)
    }
  }

  /// Shows what is durable.
  private func publish(_ requests: [AppendRequest], _ draft: CommitDraft) {
    for (tenant, position) in draft.nextPositions { nextPositions[tenant] = position }
    // The commit's first segment: a key is then carried over early rather than lost.
    let segment = draft.frames.first?.header.place.segment ?? active.number
    for (key, entry) in draft.keys { know(key, entry, segment: segment, now: draft.second) }
    let known = keys.count
    head.withLock { head in
      for frame in draft.frames {
        guard let partition = frame.partition else { continue }
        head.insert(FrameEntry(frame.header), of: partition)
        head.statistics.rows += frame.header.rowCount
      }
      head.statistics.commits += 1
      head.statistics.requests += draft.admitted.count
      head.statistics.frames += draft.frames.count
      head.statistics.bytesWritten += buffer.count
      head.statistics.idempotencyEntries = known
    }
    observers.tell(draft.frames)
  }
}

/// What one commit is made of, before it is written.
struct CommitDraft {
  struct Group {
    var partition: Partition
    var requests: [Int]
  }

  let now: Int64
  /// Of the journal's running time.
  let second: Int64
  var results: [Result<AppendReceipt, StoreError>?]
  /// Indices of the requests whose rows are written.
  var admitted: [Int] = []
  /// Indices of repeats and of the request they repeat.
  var repeats: [(index: Int, first: Int)] = []
  private(set) var groups: [Group] = []
  private var groupIndex: [Partition: Int] = [:]
  var frames: [DraftFrame] = []
  var nextPositions: [Tenant: Int64] = [:]
  var keys: [(key: ScopedKey, entry: KeyEntry)] = []
  /// Of the requests that are admitted: the last with each key.
  private(set) var latest: [ScopedKey: Int] = [:]
  private(set) var keyDrafts = KeyDrafts()
  private(set) var importDrafts = KeyDrafts()

  init(requestCount: Int, now: Int64, second: Int64) {
    self.now = now
    self.second = second
    results = Array(repeating: nil, count: requestCount)
  }

  /// Notes the key of a request that is admitted.
  mutating func note(_ index: Int, _ once: IdempotencyKey, _ key: ScopedKey) {
    let isNew = latest.updateValue(index, forKey: key) == nil
    let answer = KeyEntry.answer(of: once)
    if !key.isImport { keyDrafts.add(key, answer: answer) }
    if key.isImport, isNew { importDrafts.add(key, answer: answer) }
  }

  mutating func add(_ index: Int, of partition: Partition) {
    if let group = groupIndex[partition] {
      groups[group].requests.append(index)
    } else {
      groupIndex[partition] = groups.count
      groups.append(Group(partition: partition, requests: [index]))
    }
  }
}

/// An encoded frame whose header still lacks its place.
struct DraftFrame {
  var header: FrameHeader
  /// Where it starts in the write buffer.
  var bufferStart: Int
  /// nil for keys carried over.
  var partition: Partition?
}

/// Collects the parts of one partition's rows into frames of bounded size.
private struct FrameRun {
  let partition: Partition
  let ingestedAt: Int64
  private let bytesMax: Int
  private let encoder: FrameEncoder
  private var parts: [RowPart] = []
  private var bytes = 0
  private var rows = 0
  private var firstPosition: Int64 = 0

  init(partition: Partition, ingestedAt: Int64, bytesMax: Int, encoder: FrameEncoder) {
    self.partition = partition
    self.ingestedAt = ingestedAt
    self.bytesMax = bytesMax
    self.encoder = encoder
  }

  mutating func append(
    _ request: AppendRequest, id: [UInt8], key: (key: ScopedKey, entry: KeyEntry)?, position: Int64,
    frames: inout [DraftFrame]
  ) {
    let batch = request.batch
    var row = 0
    while row < batch.rowCount {
      var end = batch.rowCount
      var size = row == 0 ? request.bytes : batch.journalBytes(row..<end)
      if bytes + size > bytesMax {
        flush(frames: &frames)
        if size > bytesMax {
          end = Self.split(batch, from: row, bytesMax: bytesMax)
          size = batch.journalBytes(row..<end)
        }
      }
      if parts.isEmpty { firstPosition = position + Int64(row) }
      let part = RowPart(
        batch: batch, rows: row..<end, firstID: row == 0 ? id : UUIDv7.incremented(id, by: row),
        key: end == batch.rowCount ? key : nil)
      parts.append(part)
      bytes += size
      rows += end - row
      row = end
    }
  }

  mutating func flush(frames: inout [DraftFrame]) {
    if parts.isEmpty { return }
    let start = encoder.buffer.count
    let header = encoder.encode(
      parts, partition: partition, firstPosition: firstPosition, ingestedAt: ingestedAt)
    frames.append(DraftFrame(header: header, bufferStart: start, partition: partition))
    parts.removeAll(keepingCapacity: true)
    bytes = 0
    rows = 0
  }

  /// The end of the most rows from `start` on that fit; at least one row.
  private static func split(_ batch: RecordBatch, from start: Int, bytesMax: Int) -> Int {
    var low = start + 1
    var high = batch.rowCount
    while low < high {
      let middle = (low + high + 1) / 2
      if batch.journalBytes(start..<middle) <= bytesMax { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
