/// A session as the control plane keeps it.
package struct SessionRecord: Sendable, Hashable {
  /// Of no other session.
  package let id: Int64
  /// The identity of its container, of no other container whenever it was made: what its records have for the
  /// container's name.
  package let container: String
  /// Who owns its container.
  package let owner: String
  /// Whether records may ever have been written to it.
  package let isWritten: Bool

  /// A session as it is kept.
  package init(id: Int64, container: String, owner: String, isWritten: Bool) {
    self.id = id
    self.container = container
    self.owner = owner
    self.isWritten = isWritten
  }
}

/// Containers and sessions, durably. Names come here as they must be (``SessionCatalog/isValid(name:)``).
///
/// Beside what is said they throw `database` and `diskFull`: then nothing changed.
package protocol CatalogRepository: Sendable {
  /// Makes a container. Containers of all users share one space of names.
  ///
  /// - Parameters:
  ///   - identity: Unlike any that was ever made.
  ///   - time: Nanoseconds since 1970.
  /// - Throws: `containerExists`, `unknownUser`.
  func createContainer(
    _ name: String, identity: String, owner: String, at time: Int64
  ) async throws(AccessError)

  /// The user's own, newest first; of those made at one time the later first.
  func containers(of owner: String) async throws(AccessError) -> [CatalogEntry]

  /// Those of the user's own, in no order.
  func identities(of userID: Int64) async throws(AccessError) -> [String]

  /// - Throws: `noContainer` unless the container is there and the user's own.
  func checkContainer(_ name: String, owner: String) async throws(AccessError)

  /// Makes a session.
  ///
  /// - Parameter time: Nanoseconds since 1970.
  /// - Throws: `noContainer` unless the container is there and the user's own; `sessionExists`.
  func createSession(
    _ name: String, in container: String, owner: String, at time: Int64
  ) async throws(AccessError)

  /// Newest first; of those made at one time the later first.
  ///
  /// - Throws: `noContainer` unless the container is there and the user's own.
  func sessions(of container: String, owner: String) async throws(AccessError) -> [CatalogEntry]

  /// The session, whosoever it is; nil: there is none.
  func session(_ name: String, in container: String) async throws(AccessError) -> SessionRecord?

  /// Notes for good that records are about to be written to the session.
  func markWritten(id: Int64) async throws(AccessError)
}
