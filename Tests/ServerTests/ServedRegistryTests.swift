import Records
import Server
import Testing

/// What there is follows from the list of APIs.
@Suite struct ServedRegistryTests {
  /// Who opens a store with less than it was written with is told of damage where there is none.
  @Test func theListedAPIsDeclareAllThatTheProjectKnows() {
    #expect(ServedAPIs.registry == .standard)
    #expect(ServedAPIs.registry.datasets.map(\.name) == Registry.standard.datasets.map(\.name))
    #expect(ServedAPIs.registry.realms.map(\.name) == Registry.standard.realms.map(\.name))
  }
}
