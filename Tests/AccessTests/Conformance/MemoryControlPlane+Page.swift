import Access
import Records

extension MemoryControlPlane: GrantRepository {
  private func changeGrants(
    of userID: Int64, _ body: (inout [Grant]) throws(AccessError) -> Void
  ) throws(AccessError) {
    try change { contents throws(AccessError) in
      guard contents.users.contains(where: { $0.id == userID }) else { throw .unknownUser }
      var grants = contents.grants[userID] ?? []
      try body(&grants)
      grants.sort(by: Grant.precedes)
      contents.grants[userID] = grants.isEmpty ? nil : grants
      return ((), [.grants(.changed(userID: userID, grants))])
    }
  }

  func set(_ grants: [Grant], of userID: Int64) async throws(AccessError) {
    try changeGrants(of: userID) { (all) throws(AccessError) in all = grants }
  }

  func give(_ grant: Grant, to userID: Int64, countMax: Int) async throws(AccessError) {
    try changeGrants(of: userID) { (all) throws(AccessError) in
      all.removeAll { $0.tenant == grant.tenant }
      all.append(grant)
      guard all.count <= countMax else { throw .limitReached("") }
    }
  }

  func take(_ tenant: Tenant, from userID: Int64) async throws(AccessError) {
    try change { contents throws(AccessError) in
      var grants = contents.grants[userID] ?? []
      guard let index = grants.firstIndex(where: { $0.tenant == tenant }) else { throw .noGrant }
      grants.remove(at: index)
      contents.grants[userID] = grants.isEmpty ? nil : grants
      return ((), [.grants(.changed(userID: userID, grants))])
    }
  }
}

extension MemoryControlPlane: ViewRepository {
  func views(in scope: ViewScope) async throws(AccessError) -> [SavedView] {
    try read { contents throws(AccessError) in
      (contents.views[scope] ?? []).sorted { Name($0.name) < Name($1.name) }
    }
  }

  func save(_ view: SavedView, in scope: ViewScope, limits: ViewLimits) async throws(AccessError) {
    try change { contents throws(AccessError) in
      if let id = scope.userID, !contents.users.contains(where: { $0.id == id }) { throw .unknownUser }
      var views = contents.views[scope] ?? []
      views.removeAll { $0.name.hasBytes(of: view.name) }
      views.append(view)
      try limits.check(count: views.count, byteCount: views.reduce(0) { $0 + $1.byteCount })
      contents.views[scope] = views
      return ((), [])
    }
  }

  func removeView(_ name: String, in scope: ViewScope) async throws(AccessError) {
    try change { contents throws(AccessError) in
      var views = contents.views[scope] ?? []
      guard let index = views.firstIndex(where: { $0.name.hasBytes(of: name) }) else { throw .noView }
      views.remove(at: index)
      contents.views[scope] = views
      return ((), [])
    }
  }
}
