import Access
import Forwarding
import Records

extension MemoryControlPlane: CatalogRepository {
  private static func container(
    _ contents: MemoryTables.Contents, _ name: String, _ owner: String
  ) throws(AccessError) -> Int64 {
    let user = contents.users.first { $0.name == owner }
    let found = contents.containers.first { $0.name == name && $0.owner == user?.id }
    guard let found else { throw .noContainer }
    return found.id
  }

  func createContainer(
    _ name: String, identity: String, owner: String, at time: Int64
  ) async throws(AccessError) {
    try change { contents throws(AccessError) in
      guard !contents.containers.contains(where: { $0.name == name }) else { throw .containerExists }
      guard let user = contents.users.first(where: { $0.name == owner }) else { throw .unknownUser }
      let id = contents.nextID()
      contents.containers.append(
        MemoryTables.Container(id: id, name: name, identity: identity, owner: user.id, createdAt: time))
      return ((), [])
    }
  }

  func containers(of owner: String) async throws(AccessError) -> [CatalogEntry] {
    try read { contents throws(AccessError) in
      let user = contents.users.first { $0.name == owner }
      return contents.containers.filter { $0.owner == user?.id }
        .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        .map { CatalogEntry(name: $0.name, createdAt: $0.createdAt) }
    }
  }

  func identities(of userID: Int64) async throws(AccessError) -> [String] {
    try read { contents throws(AccessError) in
      contents.containers.filter { $0.owner == userID }.map(\.identity)
    }
  }

  func checkContainer(_ name: String, owner: String) async throws(AccessError) {
    try read { contents throws(AccessError) in
      _ = try MemoryControlPlane.container(contents, name, owner)
    }
  }

  func createSession(
    _ name: String, in container: String, owner: String, at time: Int64
  ) async throws(AccessError) {
    try change { contents throws(AccessError) in
      let place = try MemoryControlPlane.container(contents, container, owner)
      let isThere = contents.sessions.contains { $0.container == place && $0.name == name }
      guard !isThere else { throw .sessionExists }
      let id = contents.nextID()
      contents.sessions.append(
        MemoryTables.Session(id: id, container: place, name: name, createdAt: time))
      return ((), [])
    }
  }

  func sessions(of container: String, owner: String) async throws(AccessError) -> [CatalogEntry] {
    try read { contents throws(AccessError) in
      let place = try MemoryControlPlane.container(contents, container, owner)
      return contents.sessions.filter { $0.container == place }
        .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        .map { CatalogEntry(name: $0.name, createdAt: $0.createdAt) }
    }
  }

  func session(_ name: String, in container: String) async throws(AccessError) -> SessionRecord? {
    try read { contents throws(AccessError) in
      guard let place = contents.containers.first(where: { $0.name == container }),
        let found = contents.sessions.first(where: { $0.container == place.id && $0.name == name }),
        let owner = contents.users.first(where: { $0.id == place.owner })
      else { return nil }
      return SessionRecord(
        id: found.id, container: place.identity, owner: owner.name, isWritten: found.isWritten)
    }
  }

  func markWritten(id: Int64) async throws(AccessError) {
    try change { contents throws(AccessError) in
      for index in contents.sessions.indices where contents.sessions[index].id == id {
        contents.sessions[index].isWritten = true
      }
      return ((), [])
    }
  }
}

extension MemoryControlPlane: ForwardingState {
  private func forward<Value: Sendable>(
    _ body: (inout MemoryTables.Contents) -> Value
  ) throws(ForwardingStateError) -> Value {
    do throws(AccessError) {
      return try change { contents throws(AccessError) in (body(&contents), []) }
    } catch { throw .unavailable("\(error)") }
  }

  private static func counts(
    _ contents: MemoryTables.Contents, _ forwarder: String, dropped: Int = 0
  ) -> DeadLetterCounts {
    DeadLetterCounts(
      byTenant: Dictionary(grouping: contents.letters[forwarder] ?? [], by: \.tenant).mapValues(\.count),
      droppedCount: dropped)
  }

  func open(_ forwarder: String) async throws(ForwardingStateError) -> SavedForwarder {
    try forward { contents in
      let isNew = contents.cursors[forwarder] == nil
      if isNew { contents.cursors[forwarder] = [:] }
      return SavedForwarder(
        isNew: isNew, cursors: (contents.cursors[forwarder] ?? [:]).map(\.value),
        deadLetters: MemoryControlPlane.counts(contents, forwarder).byTenant)
    }
  }

  func save(
    _ change: ForwardingChange, of forwarder: String
  ) async throws(ForwardingStateError) -> DeadLetterCounts {
    try forward { contents in
      for cursor in change.cursors { contents.cursors[forwarder, default: [:]][cursor.tenant] = cursor }
      var letters = contents.letters[forwarder] ?? []
      for var letter in change.letters {
        let index = letters.firstIndex { $0.tenant == letter.tenant && $0.position == letter.position }
        letter.number = index.map { letters[$0].number } ?? contents.nextID()
        if let index { letters[index] = letter } else { letters.append(letter) }
      }
      var dropped = 0
      for tenant in Set(change.letters.map(\.tenant)) {
        let numbers = letters.filter { $0.tenant == tenant }.map(\.number).sorted()
        let gone = Set(numbers.dropLast(change.lettersPerTenantMax))
        dropped += gone.count
        letters.removeAll { gone.contains($0.number) }
      }
      contents.letters[forwarder] = letters
      return MemoryControlPlane.counts(contents, forwarder, dropped: dropped)
    }
  }

  func deadLetters(
    of forwarder: String, tenant: Tenant?, after: Int64, limit: Int
  ) async throws(ForwardingStateError) -> [DeadLetter] {
    try forward { contents in
      let found = (contents.letters[forwarder] ?? []).filter {
        $0.number > after && (tenant == nil || $0.tenant == tenant)
      }
      return Array(found.sorted { $0.number < $1.number }.prefix(limit))
    }
  }

  func deadLetters(
    of forwarder: String, numbers: [Int64]
  ) async throws(ForwardingStateError) -> [DeadLetter] {
    try forward { contents in
      (contents.letters[forwarder] ?? []).filter { numbers.contains($0.number) }
        .sorted { $0.number < $1.number }
    }
  }

  func drop(
    _ numbers: [Int64], of forwarder: String
  ) async throws(ForwardingStateError) -> DeadLetterCounts {
    try forward { contents in
      contents.letters[forwarder]?.removeAll { numbers.contains($0.number) }
      return MemoryControlPlane.counts(contents, forwarder)
    }
  }
}
