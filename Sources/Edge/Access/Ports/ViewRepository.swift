import Records

/// Whose saved views these are.
package struct ViewScope: Sendable, Hashable {
  /// Whose records they show.
  package let tenant: Tenant
  /// The user whose own part of the tenant's records they show; nil: all of them, and the views are everybody's
  /// who reads them.
  package let userID: Int64?

  /// A scope of a tenant, or of a user within it.
  package init(tenant: Tenant, userID: Int64? = nil) {
    self.tenant = tenant
    self.userID = userID
  }
}

/// A view or a board that was saved on the page.
package struct SavedView: Sendable, Hashable {
  /// What it shows: one question, or several side by side.
  package enum Kind: String, Sendable, Hashable, CaseIterable { case view, board }

  /// Of no other one in its scope; bytes decide.
  package let name: String
  /// What it shows.
  package let kind: Kind
  /// A JSON value: the page's own business.
  package let value: String

  /// A view as it is kept.
  package init(name: String, kind: Kind, value: String) {
    self.name = name
    self.kind = kind
    self.value = value
  }

  /// - Throws: `invalidName`: the name cannot be shown as it is, or stand in an address.
  package func check() throws(AccessError) {
    try ShownName.check(name, of: "A view's name")
    guard name.utf8.contains(where: { $0 != UInt8(ascii: ".") }) else {
      throw .invalidName("A view's name has more than dots.")
    }
  }

  /// The bytes that count.
  package var byteCount: Int { name.utf8.count + value.utf8.count }
}

/// How many views a scope has at most.
package struct ViewLimits: Sendable, Hashable {
  /// Views and boards together.
  package var countMax = 500
  /// Their names and values.
  package var bytesMax = 4 << 20

  /// What holds for all.
  package init() {}

  /// - Throws: `limitReached`.
  package func check(count: Int, byteCount: Int) throws(AccessError) {
    guard count <= countMax else { throw .limitReached("A tenant has at most \(countMax) views.") }
    guard byteCount <= bytesMax else {
      throw .limitReached("A tenant's views have at most \(bytesMax) bytes.")
    }
  }
}

/// Saved views, durably. They throw `database` and `diskFull`: then nothing changed.
package protocol ViewRepository: Sendable {
  /// All of the scope, by the bytes of their names.
  func views(in scope: ViewScope) async throws(AccessError) -> [SavedView]

  /// Keeps a view in the place of the one of its name, if there is one.
  ///
  /// - Throws: `limitReached`; `unknownUser`: the scope's user is gone.
  func save(_ view: SavedView, in scope: ViewScope, limits: ViewLimits) async throws(AccessError)

  /// Removes a view.
  ///
  /// - Throws: `noView`.
  func removeView(_ name: String, in scope: ViewScope) async throws(AccessError)
}
