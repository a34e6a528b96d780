/// The kinds of records and the families of tenants that a server knows: what a code on the disk means.
///
/// Codes that are in no registry are told as damage, never guessed.
package struct Registry: Sendable, Hashable {
  /// In the order they were declared.
  package let datasets: [Dataset]
  package let realms: [Realm]

  /// Traps on two of one code or name: our own bug.
  package init(realms: [Realm], datasets: [Dataset]) {
    invariant(Set(realms.map(\.code)).count == realms.count, "a realm's code is its own")
    invariant(Set(realms.map(\.name)).count == realms.count, "a realm's name is its own")
    invariant(Set(datasets.map(\.code)).count == datasets.count, "a dataset's code is its own")
    invariant(Set(datasets.map(\.name)).count == datasets.count, "a dataset's name is its own")
    self.realms = realms
    self.datasets = datasets
  }

  /// What this project declares, for those that serve nothing: a server knows what its APIs declare.
  package static let standard = Registry(
    realms: [.native, .sessions, .querylog, .audit, .workflow, .ingest],
    datasets: [.sessions, .queries, .audit, .workflows, .logs])

  /// The same with more.
  package func adding(realms: [Realm] = [], datasets: [Dataset] = []) -> Registry {
    Registry(
      realms: self.realms + realms.filter { !self.realms.contains($0) },
      datasets: self.datasets + datasets.filter { !self.datasets.contains($0) })
  }

  package func dataset(code: UInt8) -> Dataset? { datasets.first { $0.code == code } }
  package func dataset(named name: String) -> Dataset? { datasets.first { $0.name.hasBytes(of: name) } }
  package func realm(code: UInt8) -> Realm? { realms.first { $0.code == code } }
  package func realm(named name: String) -> Realm? { realms.first { $0.name.hasBytes(of: name) } }
}
