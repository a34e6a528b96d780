import Blocks
import Codecs
import Platform
import Records
import Storage

/// What a plain block says of itself: words behind the columns, their number of bytes, the checksum.
extension PlainBlocks {
  func claim(
    _ path: String, on fileSystem: any FileSystem, registry: Registry
  ) throws(StoreError) -> BlockClaim? {
    let bytes: [UInt8]
    do throws(DiskError) {
      let file = try fileSystem.open(path, writable: false)
      bytes = try file.read(at: 0, count: try file.size())
    } catch { throw PlainBlocks.error(error) }
    guard bytes.count > 16, PlainCoding.word(bytes, at: bytes.count - 8) == checksum(of: bytes.dropLast(8))
    else { return nil }
    let count = Int(PlainCoding.word(bytes, at: bytes.count - 16))
    let start = bytes.count - 16 - count
    func word(_ index: Int) -> UInt64 { PlainCoding.word(bytes, at: start + index * 8) }
    guard let realm = registry.realm(code: UInt8(word(1))),
      let dataset = registry.dataset(code: UInt8(word(2))),
      let store = StoreID(bytes: bytes[start + 56..<start + 72])
    else { return nil }
    let name = String(decoding: bytes[start + 80..<start + count], as: UTF8.self)
    return BlockClaim(
      id: word(0), partition: Partition(tenant: Tenant(realm: realm, name: name), dataset: dataset),
      rowCount: Int(word(3)), positions: Int64(word(4))...Int64(word(5)),
      origin: word(6) == 0 ? nil : BlockOrigin(store: store, generation: word(9)))
  }

  private func checksum(of bytes: ArraySlice<UInt8>) -> UInt64 { UInt64(CRC32C.checksum(Array(bytes))) }
}

extension PlainCoding {
  static func append(claim batch: RecordBatch, _ place: BlockPlace, to bytes: inout [UInt8]) {
    let positions = PlainRows(batch).integers("position")
    let start = bytes.count
    let partition = place.partition
    let words = [
      place.id, UInt64(partition.tenant.realm.code), UInt64(partition.dataset.code), UInt64(batch.rowCount),
      UInt64(positions.min() ?? 0), UInt64(positions.max() ?? 0), place.origin == nil ? 0 : 1,
    ]
    for word in words { append(word, to: &bytes) }
    bytes += (place.origin?.store ?? .none).bytes
    append(place.origin?.generation ?? 0, to: &bytes)
    bytes += Array(partition.tenant.name.utf8)
    append(UInt64(bytes.count - start), to: &bytes)
  }
}
