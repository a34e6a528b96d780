import Codecs
import Platform
import Records
import Synchronization

/// A container or a session in a listing.
package struct CatalogEntry: Sendable, Hashable {
  /// Valid: see ``SessionCatalog/isValid(name:)``.
  package let name: String
  /// Nanoseconds since 1970.
  package let createdAt: Int64

  /// An entry as the control plane has it.
  package init(name: String, createdAt: Int64) {
    self.name = name
    self.createdAt = createdAt
  }
}

/// Containers and sessions of the sessions API, and whose they are. Names of containers are global; a
/// session's name is its own within its container.
///
/// Records are bound to a container's identity, not to its name: whoever makes a container of a name that is
/// free, because the control database was lost or replaced, gets none of the records that are still there of
/// another of that name.
///
/// Sessions that were used lately are kept in memory, so that a write costs no look-up in the control plane.
package final class SessionCatalog: Sendable {
  /// A session's place: container and name.
  private struct Key: Hashable {
    var container: String
    var session: String
  }

  private struct Known {
    var sessions: [Key: SessionRecord] = [:]
    /// Grows when what is known may be wrong: what was asked before is not kept then.
    var generation = 0
  }

  /// A session that exists and belongs to who asks.
  package struct Session: Sendable, Hashable {
    /// Its container's name.
    package let container: String
    /// Its container's identity: what its records have in the column `container`.
    package let identity: String
    /// Valid: see ``SessionCatalog/isValid(name:)``.
    package let name: String
    /// Whether records may ever have been written to it.
    package let isWritten: Bool
    let id: Int64
  }

  /// Bytes of a container's or a session's name.
  package static let nameBytesMax = 128
  /// Beyond so many the memory starts anew.
  private static let knownMax = 65_536

  private let repository: any CatalogRepository
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let known = Mutex(Known())

  /// - Throws: What the control plane says.
  package init(
    _ plane: any ControlPlane, clock: any WallClock, entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) {
    repository = plane.catalog
    self.clock = clock
    self.entropy = entropy
    // Somebody may have given containers to another user.
    try await plane.changes.observe(.catalog) { [weak self] _ in
      self?.known.withLock { known in
        known.sessions = [:]
        known.generation += 1
      }
    }
  }

  /// ASCII letters, digits, `-` and `_`, at least one letter or digit, at most 128.
  package static func isValid(name: String) -> Bool {
    var hasLetter = false
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        hasLetter = true
      case UInt8(ascii: "-"), UInt8(ascii: "_"): break
      default: return false
      }
    }
    return hasLetter && name.utf8.count <= nameBytesMax
  }

  /// Makes a container.
  ///
  /// - Parameter name: Valid.
  /// - Throws: `containerExists`, `unknownUser`, or what the control plane says.
  package func createContainer(_ name: String, owner: String) async throws(AccessError) {
    try await repository.createContainer(
      name, identity: identity(for: name), owner: owner, at: clock.now())
  }

  /// The name, for those who read the archive with other tools, and 128 random bits. No name has a `~`, and
  /// containers of before there were identities have their name as one: so none is taken for another.
  private func identity(for name: String) -> String { name + "~" + Hex.text(entropy.bytes(16)) }

  /// The user's own, newest first.
  package func containers(of owner: String) async throws(AccessError) -> [CatalogEntry] {
    try await repository.containers(of: owner)
  }

  /// All records of the user's own containers.
  package func records(of userID: Int64) async throws(AccessError) -> Predicate {
    .isIn(ColumnPath("container"), try await repository.identities(of: userID).sorted().map { .string($0) })
  }

  /// - Throws: `noContainer` unless the container is there and the user's own.
  package func checkContainer(_ name: String, owner: String) async throws(AccessError) {
    guard SessionCatalog.isValid(name: name) else { throw .noContainer }
    try await repository.checkContainer(name, owner: owner)
  }

  /// Makes a session.
  ///
  /// - Parameter name: Valid.
  /// - Throws: `noContainer`, `sessionExists`, or what the control plane says.
  package func createSession(_ name: String, in container: String, owner: String) async throws(AccessError) {
    guard SessionCatalog.isValid(name: container) else { throw .noContainer }
    try await repository.createSession(name, in: container, owner: owner, at: clock.now())
  }

  /// Newest first.
  ///
  /// - Throws: `noContainer` unless the container is there and the user's own.
  package func sessions(of container: String, owner: String) async throws(AccessError) -> [CatalogEntry] {
    guard SessionCatalog.isValid(name: container) else { throw .noContainer }
    return try await repository.sessions(of: container, owner: owner)
  }

  /// A session for reading or writing its records.
  ///
  /// - Throws: `noSession` unless the session is there and in a container of the user's own.
  package func session(_ name: String, in container: String, owner: String) async throws(AccessError)
    -> Session
  {
    guard SessionCatalog.isValid(name: container), SessionCatalog.isValid(name: name) else {
      throw .noSession
    }
    let record = try await record(Key(container: container, session: name))
    guard let record, record.owner.hasBytes(of: owner) else { throw .noSession }
    return Session(
      container: container, identity: record.container, name: name, isWritten: record.isWritten,
      id: record.id)
  }

  private func record(_ key: Key) async throws(AccessError) -> SessionRecord? {
    let (remembered, generation) = known.withLock { ($0.sessions[key], $0.generation) }
    if let remembered { return remembered }
    guard let found = try await repository.session(key.session, in: key.container) else { return nil }
    known.withLock { known in
      // A change that came meanwhile is not in what was found, perhaps.
      guard known.generation == generation else { return }
      if known.sessions.count >= SessionCatalog.knownMax { known.sessions = [:] }
      known.sessions[key] = found
    }
    return found
  }

  /// Notes for good that records are about to be written to the session: before they are, so that a refusal
  /// leaves none. Costs nothing from the second time on.
  package func markWritten(_ session: Session) async throws(AccessError) {
    guard !session.isWritten else { return }
    let key = Key(container: session.container, session: session.name)
    if known.withLock({ $0.sessions[key]?.isWritten }) == true { return }
    try await repository.markWritten(id: session.id)
    known.withLock { known in
      guard let record = known.sessions[key], record.id == session.id else { return }
      known.sessions[key] = SessionRecord(
        id: record.id, container: record.container, owner: record.owner, isWritten: true)
    }
  }
}
