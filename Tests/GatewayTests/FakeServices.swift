import APIs
import Access
import Platform
import Querying
import Records
import Tailing

/// For routes that ask nothing.
struct UnaskedEngine: QueryAnswering {
  func run(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> QueryAnswer {
    throw .invalid("nothing is asked here")
  }

  func summarize(
    _ request: SummaryRequest, isGradual: Bool, for tenant: Tenant
  ) async throws(StoreError) -> any SummaryAnswers {
    throw .invalid("nothing is asked here")
  }

  func fields(
    of dataset: Dataset, matching predicate: Records.Predicate, start: Int64?, end: Int64?, for tenant: Tenant
  ) async throws(StoreError) -> FieldCatalog {
    throw .invalid("nothing is asked here")
  }

  func explain(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> String { "" }
}

/// A store without commits.
private struct NoCommits: CommitFeed, BatchSource {
  func observeCommits(_ wake: @escaping @Sendable ([Partition: Int64]) -> Void) -> CommitObservation {
    CommitObservation {}
  }

  func positionEnd(of tenant: Tenant) async throws(StoreError) -> Int64 { 0 }

  func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? { nil }

  func snapshot(of partition: Partition) async throws(StoreError) -> any PartitionSnapshot {
    throw .invalid("nothing is kept here")
  }
}

extension LiveStreams {
  /// Streams of nothing.
  static var none: LiveStreams {
    LiveStreams(
      feed: LiveFeed(feed: NoCommits(), source: NoCommits()),
      seal: CursorSeal(key: [UInt8](repeating: 1, count: 32)))
  }
}
