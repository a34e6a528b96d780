import Blocks
import Journaling
import Records

/// What is told of damage that reading comes upon.
struct DamageWatch: Sendable {
  enum Source: Sendable {
    case block(LiveBlock)
    case frames([HeadFrame], of: Partition)
  }

  let quarantine: Quarantine
  let source: Source

  /// Runs `body`; what it finds damaged is left out of later plans.
  func watching<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
    do throws(StoreError) { return try body() } catch {
      switch source {
      case .block(let block): quarantine.note(error, of: block)
      case .frames(let frames, let partition): quarantine.note(error, of: frames, in: partition)
      }
      throw error
    }
  }
}

/// A unit whose damage is noted when it is read.
struct WatchedUnit: ScanUnit {
  let unit: any ScanUnit
  let watch: DamageWatch

  var objects: Set<StoredObject> { unit.objects }
  var bounds: KeyBounds { unit.bounds }
  var rowCountMax: Int { unit.rowCountMax }
  var memoryBytesEstimate: Int { unit.memoryBytesEstimate }

  func parts() -> [any ScanUnit] {
    let parts = unit.parts()
    return parts.count == 1 ? [self] : parts.map { WatchedUnit(unit: $0, watch: watch) }
  }

  func open() throws(StoreError) -> any BatchCursor {
    try watch.watching { () throws(StoreError) in WatchedCursor(try unit.open(), watch) }
  }

  func countMatches() throws(StoreError) -> Int {
    try watch.watching { () throws(StoreError) in try unit.countMatches() }
  }
}

private final class WatchedCursor: BatchCursor {
  private let cursor: any BatchCursor
  private let watch: DamageWatch

  init(_ cursor: any BatchCursor, _ watch: DamageWatch) {
    self.cursor = cursor
    self.watch = watch
  }

  func next() throws(StoreError) -> RecordBatch? {
    try watch.watching { () throws(StoreError) in try cursor.next() }
  }
}
