import Records

/// An API that keeps records: what it owns is known before it is made, since the store is opened with that.
package protocol RecordOwner: Sendable {
  /// Whose tenants these are.
  static var realm: Realm { get }
  /// What it alone declares.
  static var datasets: [Dataset] { get }
}

extension Registry {
  /// What `owners` declare, by their codes.
  package init(_ owners: [any RecordOwner.Type]) {
    self.init(
      realms: owners.map { $0.realm }.sorted { $0.code < $1.code },
      datasets: owners.flatMap { $0.datasets }.sorted { $0.code < $1.code })
  }
}
