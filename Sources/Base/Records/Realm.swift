/// The API family a tenant belongs to. Equal names in two realms are different tenants.
package struct Realm: Sendable, Hashable {
  /// What stands for it on the disk: never given to another realm.
  package let code: UInt8
  /// The realm's name in answers, metrics and directory names.
  package let name: String

  package init(_ code: UInt8, _ name: String) {
    self.code = code
    self.name = name
  }

  package static func == (left: Realm, right: Realm) -> Bool { left.code == right.code }

  package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension Realm {
  package static let native = Realm(1, "native")
  package static let sessions = Realm(2, "sessions")
  package static let querylog = Realm(3, "querylog")
  package static let audit = Realm(4, "audit")
  package static let workflow = Realm(5, "workflow")
  package static let ingest = Realm(6, "ingest")
}
