import Codecs
import Records
import Storage

/// A record as the model has it.
struct ModelRow: Hashable {
  var position: Int64
  var id: [UInt8]
  var timestamp: Int64
  var ingestedAt: Int64
  var level: String?
  /// Unique: `… r<number>`.
  var message: String
  /// Of `sessions`.
  var container = ""
  var session = ""
  /// Of `logs`.
  var metadata: String?
}

/// A filter, and what it means.
struct ModelFilter {
  var predicate: Predicate
  var matches: (ModelRow) -> Bool
}

/// A request as it was sent: rows without positions, ids and times.
struct ModelRequest {
  var partition: Partition
  var rows: [ModelRow]
  var key: IdempotencyKey?
  /// By the clock that never jumps; of requests that were not answered.
  var sentAt: Int64 = 0
}

/// What must be found, and what may.
struct Model {
  struct KnownKey: Hashable {
    var tenant: Tenant
    var key: String
  }

  struct Answered {
    var request: ModelRequest
    var firstPosition: Int64
    /// By the clock that never jumps.
    var answeredAt: Int64
  }

  /// By position.
  var rows: [Partition: [ModelRow]] = [:]
  /// Requests answered with `poisoned`: whole or not at all after a restart.
  var openRequests: [ModelRequest] = []
  /// Deletions answered with `poisoned`: in force or not after a restart.
  var openDeletions: [(partition: Partition, filter: ModelFilter, positionEnd: Int64)] = []
  /// A retention run answered with `poisoned`: rows of blocks as old may be gone after a restart.
  var openRetention: [Dataset: Int64] = [:]
  var answered: [KnownKey: Answered] = [:]
  /// Positions any record of the tenant ever had.
  private var used: [Tenant: Set<Int64>] = [:]
  /// One behind the largest position any record of the tenant ever had.
  var positionEnd: [Tenant: Int64] = [:]

  /// - Parameter floor: The least position it may have; nil: behind all before it.
  mutating func add(_ request: ModelRequest, _ receipt: AppendReceipt, floor: Int64? = nil) -> String? {
    let tenant = request.partition.tenant
    guard receipt.rowCount == request.rows.count else { return "a receipt for \(receipt.rowCount) rows" }
    if receipt.firstPosition < floor ?? positionEnd[tenant] ?? 0 {
      return "position \(receipt.firstPosition) is given again to \(tenant)"
    }
    for (index, row) in request.rows.enumerated() {
      var row = row
      row.position = receipt.firstPosition + Int64(index)
      guard used[tenant, default: []].insert(row.position).inserted else {
        return "position \(row.position) is given again to \(tenant)"
      }
      row.id = UUIDv7.incremented(receipt.firstID, by: index)
      row.ingestedAt = receipt.ingestedAt
      rows[request.partition, default: []].append(row)
    }
    positionEnd[tenant] = max(positionEnd[tenant] ?? 0, receipt.firstPosition + Int64(receipt.rowCount))
    return nil
  }

  mutating func delete(_ filter: ModelFilter, from partition: Partition, below positionEnd: Int64) -> Int {
    let before = rows[partition] ?? []
    let after = before.filter { $0.position >= positionEnd || !filter.matches($0) }
    rows[partition] = after
    return before.count - after.count
  }

  /// Decides what was open by what a scan of the partition found after a restart; why that is impossible.
  mutating func resolve(_ partition: Partition, found: [ModelRow], floors: [Tenant: Int64]) -> String? {
    let messages = Set(found.map(\.message))
    let here = openRequests.filter { $0.partition == partition }
    openRequests.removeAll { $0.partition == partition }
    for request in here {
      let present = request.rows.filter { messages.contains($0.message) }
      if present.isEmpty { continue }
      guard present.count == request.rows.count else {
        return "\(present.count) of \(request.rows.count) rows of an unanswered request are found"
      }
      if let problem = adopt(request, found, floors) { return problem }
    }
    for deletion in openDeletions.filter({ $0.partition == partition }) {
      let hidden = (rows[partition] ?? []).filter {
        $0.position < deletion.positionEnd && deletion.filter.matches($0)
      }
      let present = hidden.filter { messages.contains($0.message) }
      if present.count == hidden.count { continue }
      guard present.isEmpty else { return "a deletion that was not answered is in force in part" }
      _ = delete(deletion.filter, from: partition, below: deletion.positionEnd)
    }
    openDeletions.removeAll { $0.partition == partition }
    if let cutoff = openRetention[partition.dataset] {
      rows[partition]?.removeAll { $0.ingestedAt <= cutoff && !messages.contains($0.message) }
    }
    return nil
  }

  private mutating func adopt(
    _ request: ModelRequest, _ found: [ModelRow], _ floors: [Tenant: Int64]
  ) -> String? {
    let byMessage = Dictionary(found.map { ($0.message, $0) }, uniquingKeysWith: { first, _ in first })
    let rowsFound = request.rows.compactMap { byMessage[$0.message] }
    guard let first = rowsFound.first else { return nil }
    let receipt = AppendReceipt(
      firstPosition: first.position, rowCount: rowsFound.count, firstID: first.id,
      ingestedAt: first.ingestedAt)
    let floor = floors[request.partition.tenant] ?? 0
    if let problem = add(request, receipt, floor: floor) { return "an unanswered request: \(problem)" }
    if let key = request.key {
      answered[KnownKey(tenant: request.partition.tenant, key: key.key)] = Answered(
        request: request, firstPosition: first.position, answeredAt: request.sentAt)
    }
    rows[request.partition]?.sort { $0.position < $1.position }
    return nil
  }

  func sorted(_ partition: Partition) -> [ModelRow] {
    Model.sorted(rows[partition] ?? [], partition.dataset)
  }

  static func sorted(_ rows: [ModelRow], _ dataset: Dataset) -> [ModelRow] {
    rows.sorted { key($0, dataset) < key($1, dataset) }
  }

  static func key(_ row: ModelRow, _ dataset: Dataset) -> PlainKey {
    dataset == .sessions
      ? PlainKey(
        texts: [Array(row.container.utf8), Array(row.session.utf8)], time: 0, position: row.position)
      : PlainKey(texts: [], time: row.timestamp, position: row.position)
  }
}
