import Blocks
import Codecs
import Records

/// Edits as the payload bytes of Docs/formats/manifest.md.
enum ManifestCoding {
  static func encode(_ changes: [ManifestChange]) -> [UInt8] {
    var bytes: [UInt8] = []
    for change in changes { append(change, to: &bytes) }
    return bytes
  }

  static func decode(
    _ bytes: [UInt8], registry: Registry = .standard
  ) throws(ManifestCodingError) -> [ManifestChange] {
    var reader = ByteReader(bytes, registry: registry)
    var changes: [ManifestChange] = []
    while !reader.isAtEnd { changes.append(try read(&reader)) }
    return changes
  }

  private static func append(_ change: ManifestChange, to bytes: inout [UInt8]) {
    switch change {
    case .blockAdded(let facts):
      bytes.append(1)
      append(facts, to: &bytes)
    case .blockRemoved(let id):
      bytes.append(2)
      Varint.append(id, to: &bytes)
    case .archivedThrough(let partition, let position):
      bytes.append(3)
      bytes.append(partition: partition)
      Varint.append(signed: position, to: &bytes)
    case .deletionAdded(let deletion):
      bytes.append(4)
      Varint.append(deletion.id, to: &bytes)
      bytes.append(partition: deletion.partition)
      Varint.append(signed: deletion.positionEnd, to: &bytes)
      let predicate = PredicateCoding.encode(deletion.predicate)
      bytes.append(count: predicate.count)
      bytes += predicate
    case .deletionFinished(let id):
      bytes.append(5)
      Varint.append(id, to: &bytes)
    case .nextPosition(let tenant, let position):
      bytes.append(6)
      bytes.append(tenant: tenant)
      Varint.append(signed: position, to: &bytes)
    case .nextIDs(let block, let deletion):
      bytes.append(7)
      Varint.append(block, to: &bytes)
      Varint.append(deletion, to: &bytes)
    case .deletionsApplied(let block, let through):
      bytes.append(8)
      Varint.append(block, to: &bytes)
      Varint.append(through, to: &bytes)
    case .store(let id):
      bytes.append(9)
      bytes += id.bytes
    case .epoch(let count):
      bytes.append(10)
      Varint.append(count, to: &bytes)
    case .generation(let count):
      bytes.append(11)
      Varint.append(count, to: &bytes)
    case .positionBase(let position):
      bytes.append(12)
      Varint.append(signed: position, to: &bytes)
    }
  }

  private static func append(_ facts: BlockFacts, to bytes: inout [UInt8]) {
    Varint.append(facts.id, to: &bytes)
    bytes.append(partition: facts.partition)
    bytes.append(count: facts.rowCount)
    bytes.append(count: facts.byteCount)
    for value in [
      facts.bounds.positionMin, facts.bounds.positionMax, facts.bounds.timestampMin,
      facts.bounds.timestampMax, facts.ingestedMin, facts.ingestedMax,
    ] {
      Varint.append(signed: value, to: &bytes)
    }
    Varint.append(facts.deletionsApplied, to: &bytes)
  }

  private static func read(_ reader: inout ByteReader) throws(ManifestCodingError) -> ManifestChange {
    switch try reader.byte() {
    case 1: return .blockAdded(try readFacts(&reader))
    case 2: return .blockRemoved(id: try reader.unsigned())
    case 3: return .archivedThrough(try reader.partition(), position: try reader.signed())
    case 4:
      let id = try reader.unsigned()
      let partition = try reader.partition()
      let positionEnd = try reader.signed()
      let predicate = try PredicateCoding.decode(try reader.raw(try reader.count()))
      return .deletionAdded(
        Deletion(id: id, partition: partition, predicate: predicate, positionEnd: positionEnd))
    case 5: return .deletionFinished(id: try reader.unsigned())
    case 6: return .nextPosition(try reader.tenant(), position: try reader.signed())
    case 7: return .nextIDs(block: try reader.unsigned(), deletion: try reader.unsigned())
    case 8: return .deletionsApplied(block: try reader.unsigned(), through: try reader.unsigned())
    case 9:
      guard let id = StoreID(bytes: try reader.raw(StoreID.byteCount)) else {
        throw reader.error("a broken identity")
      }
      return .store(id)
    case 10: return .epoch(try reader.unsigned())
    case 11: return .generation(try reader.unsigned())
    case 12: return .positionBase(try reader.signed())
    case let kind: throw reader.unknown("a change of kind \(kind)")
    }
  }

  private static func readFacts(_ reader: inout ByteReader) throws(ManifestCodingError) -> BlockFacts {
    let id = try reader.unsigned()
    let partition = try reader.partition()
    let rowCount = try reader.count()
    let byteCount = try reader.count()
    var values: [Int64] = []
    for _ in 0..<6 { values.append(try reader.signed()) }
    let bounds = KeyBounds(
      timestampMin: values[2], timestampMax: values[3], positionMin: values[0], positionMax: values[1])
    guard rowCount > 0, values[0] <= values[1], values[2] <= values[3], values[4] <= values[5],
      values[0] >= 0, values[1] < .max
    else { throw reader.error("impossible facts of a block") }
    var facts = BlockFacts(
      id: id, partition: partition, rowCount: rowCount, bounds: bounds, ingested: values[4]...values[5],
      deletionsApplied: try reader.unsigned())
    facts.byteCount = byteCount
    return facts
  }
}
