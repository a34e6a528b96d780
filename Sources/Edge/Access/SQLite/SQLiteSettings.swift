import GRDB

/// Settings in the control database.
struct SQLiteSettings: SettingRepository {
  let database: ControlDatabase

  func value(of name: String, orElse fallback: String) async throws(AccessError) -> String {
    try await database.change("read the setting \(name)") { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO settings (name, value) VALUES (?, ?)", arguments: [name, fallback])
      return try String.fetchOne(
        database, sql: "SELECT value FROM settings WHERE name = ?", arguments: [name])
        ?? fallback
    }
  }

  func set(_ name: String, to value: String) async throws(AccessError) {
    try await database.change("keep the setting \(name)") { database in
      try database.execute(
        sql:
          "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        arguments: [name, value])
    }
  }
}
