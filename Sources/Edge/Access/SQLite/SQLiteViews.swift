import GRDB
import Records

/// Saved views in the control database.
struct SQLiteViews: ViewRepository {
  let database: ControlDatabase

  /// In the column `userId`: no user has it.
  private static let everybody: Int64 = 0

  /// The place of a scope's views: three columns.
  private static func place(_ scope: ViewScope) -> [(any DatabaseValueConvertible)?] {
    [scope.tenant.realm.name, scope.tenant.name, scope.userID ?? everybody]
  }

  /// Views of a kind that a later version knows are not shown.
  private static func view(_ row: Row) -> SavedView? {
    SavedView.Kind(rawValue: row["kind"]).map {
      SavedView(name: row["name"], kind: $0, value: row["value"])
    }
  }

  func views(in scope: ViewScope) async throws(AccessError) -> [SavedView] {
    try await database.read("list the views") { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM views WHERE realm = ? AND tenant = ? AND userId = ? ORDER BY name",
        arguments: StatementArguments(SQLiteViews.place(scope))
      ).compactMap(SQLiteViews.view)
    }
  }

  func save(_ view: SavedView, in scope: ViewScope, limits: ViewLimits) async throws(AccessError) {
    try await database.change("save the view") { database in
      if let id = scope.userID {
        let isThere = try Bool.fetchOne(
          database, sql: "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)", arguments: [id])
        guard isThere == true else { throw AccessError.unknownUser }
      }
      let place = SQLiteViews.place(scope)
      try database.execute(
        sql: """
          INSERT INTO views (realm, tenant, userId, name, kind, value) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (realm, tenant, userId, name) DO UPDATE SET kind = excluded.kind, value = excluded.value
          """, arguments: StatementArguments(place + [view.name, view.kind.rawValue, view.value]))
      let row = try Row.fetchOne(
        database,
        sql: """
          SELECT COUNT(*) AS number, SUM(LENGTH(CAST(name AS BLOB)) + LENGTH(CAST(value AS BLOB))) AS bytes
          FROM views WHERE realm = ? AND tenant = ? AND userId = ?
          """, arguments: StatementArguments(place))
      // There is one view at least.
      if let row { try limits.check(count: row["number"], byteCount: row["bytes"]) }
    }
  }

  func removeView(_ name: String, in scope: ViewScope) async throws(AccessError) {
    try await database.change("remove the view") { database in
      try database.execute(
        sql: "DELETE FROM views WHERE realm = ? AND tenant = ? AND userId = ? AND name = ?",
        arguments: StatementArguments(SQLiteViews.place(scope) + [name]))
      guard database.changesCount == 1 else { throw AccessError.noView }
    }
  }
}
