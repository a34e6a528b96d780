import Columnar
import Platform
import Records

extension BlockClaim {
  /// What the index of a block's file says; nil: there is no index that can be understood.
  ///
  /// - Throws: `.laterVersion`.
  init?(_ file: Buffer, path: String, registry: Registry) throws(BlockError) {
    guard let claim = try BlockClaim.read(file, path: path, registry: registry) else { return nil }
    self = claim
  }

  private static func read(
    _ file: Buffer, path: String, registry: Registry
  ) throws(BlockError) -> BlockClaim? {
    let metadata: [String: String]
    do throws(ColumnarError) { metadata = try ParquetReader(file, verifyChecksums: false).metadata } catch {
      return nil
    }
    try BlockIndex.requireKnownVersion(metadata, path: path)
    guard let place = BlockIndex.place(metadata, fileBytes: file.byteCount) else { return nil }
    do throws(IndexError) {
      let index = try BlockIndex(file.slice(place))
      var reader = IndexReader(try index.required(.facts))
      let id = try reader.unsigned()
      let realm = registry.realm(code: try reader.byte())
      let dataset = registry.dataset(code: try reader.byte())
      let name = try reader.text()
      let rowCount = try reader.count()
      for _ in 0..<2 { _ = try reader.count() }
      let (low, high) = (try reader.signed(), try reader.signed())
      guard rowCount > 0, low >= 0, low <= high else { return nil }
      return BlockClaim(
        id: id, partition: partition(realm, dataset, name), rowCount: rowCount, positions: low...high,
        origin: try index.section(.origin).map { (bytes) throws(IndexError) in try BlockOrigin(bytes) })
    } catch { return nil }
  }

  private static func partition(_ realm: Realm?, _ dataset: Dataset?, _ name: String) -> Partition? {
    guard let realm, let dataset, Tenant.isValid(name: name) else { return nil }
    return Partition(tenant: Tenant(realm: realm, name: name), dataset: dataset)
  }
}

extension BlockOrigin {
  /// Section 11 of the index.
  func encoded() -> [UInt8] {
    var writer = IndexWriter()
    writer.append(raw: store.bytes)
    writer.append(unsigned: generation)
    return writer.bytes
  }

  init(_ bytes: Buffer) throws(IndexError) {
    var reader = IndexReader(bytes)
    guard let store = StoreID(bytes: try reader.raw(StoreID.byteCount)) else {
      throw reader.error("a broken identity")
    }
    self.init(store: store, generation: try reader.unsigned())
  }
}

extension BlockIndex {
  /// Throws if the footer says that a later version wrote the file.
  static func requireKnownVersion(_ metadata: [String: String], path: String) throws(BlockError) {
    guard let found = metadata[versionKey].flatMap({ Int($0) }), found > openForms else { return }
    throw .laterVersion(file: path, version: found)
  }

  /// Where the index lies in a file of so many bytes; nil: the footer does not say, or nowhere in it.
  static func place(_ metadata: [String: String], fileBytes: Int) -> Range<Int>? {
    let place = (metadata[placeKey] ?? "").split(separator: ",").compactMap { Int($0) }
    guard place.count == 2, place[0] >= 0, place[1] >= 0, place[0] <= fileBytes,
      place[1] <= fileBytes - place[0]
    else { return nil }
    return place[0]..<place[0] + place[1]
  }
}
