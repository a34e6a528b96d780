import Access
import Codecs
import Encoding
import Querying
import Records

/// Whether records of the query log are what was stored: by their hashes, made anew of what is there.
struct QueryVerification: Sendable {
  enum Standing: String, Sendable {
    case valid
    /// A field is another than the hash was made of.
    case changed
    /// The bytes on the disk are not those that were written.
    case damaged
  }

  private static let columns = ["user_id", "query", "status", "hash", "timestamp"]

  let engine: any QueryAnswering
  let seal: QuerySeal

  /// What the record with this id has for a hash, and whether it is right.
  ///
  /// - Returns: nil: there is none, or the text is no id.
  /// - Throws: `corrupt` too.
  func hash(
    of text: String, _ filter: Predicate = .all
  ) async throws(StoreError) -> (id: [UInt8], hash: [UInt8], isRight: Bool)? {
    guard let id = UUIDv7.flexible(text) else { return nil }
    let request = QueryRequest(
      dataset: .queries, predicate: .both(.compare(ColumnPath("id"), .equal, .uuid(id)), filter),
      answer: .rows(columns: QueryVerification.columns.map { ColumnPath($0) }), limit: 1)
    guard let batch = try await engine.run(request, for: QuerySessions.tenant).next() else { return nil }
    let texts = batch.columns.prefix(4).map(QueryVerification.firstText)
    let time = batch.columns[4].withInt64 { $0[0] }
    let right = seal.hash(
      user: texts[0], query: texts[1], status: texts[2], timestamp: QueryLogRoutes.text(of: time))
    return (id, texts[3], Array(right.utf8) == texts[3])
  }

  /// nil: there is no such record.
  func standing(of text: String, _ filter: Predicate) async throws(StoreError) -> Standing? {
    do throws(StoreError) {
      return try await hash(of: text, filter).map { $0.isRight ? .valid : .changed }
    } catch {
      if case .corrupt = error { return .damaged }
      throw error
    }
  }

  private static func firstText(_ column: Column) -> [UInt8] {
    column.plainText().withText { offsets, bytes in
      (Int(offsets[0])..<Int(offsets[1])).map { bytes[$0] }
    }
  }
}
