import GRDB

/// What other versions of the program may have done to the database.
enum AccessDatabaseFault {
  static func addUnknownMigration(_ folder: String) throws {
    try execute(folder, "INSERT INTO grdb_migrations (identifier) VALUES ('99: from the future')")
  }

  static func changeSecrets(_ folder: String) throws {
    try execute(folder, "UPDATE auditTenants SET secret = '00112233445566778899aabbccddeeff'")
  }

  static func undoLaterMigrations(_ folder: String) throws {
    try execute(folder, "DROP TABLE auditTenants")
    try execute(folder, "DROP TABLE apiKeys")
    for table in ["forwarders", "forwardingCursors", "deadLetters", "queryTokens"] {
      try execute(folder, "DROP TABLE \(table)")
    }
    try undoIdentities(folder, keepingTokens: false)
    try execute(folder, "DELETE FROM grdb_migrations WHERE identifier NOT LIKE '1:%'")
  }

  /// As the version before users had looks left it.
  private static func undoLooks(_ folder: String) throws {
    for change in [
      "DROP TABLE grants", "DROP TABLE views", "DELETE FROM grdb_migrations WHERE identifier LIKE '8:%'",
      "DROP INDEX usersByLooks", "ALTER TABLE users DROP COLUMN looks", "DROP TABLE auditRevocations",
      "DROP TABLE auditNotBefore", "DROP INDEX IF EXISTS queryTokensOfUser",
      "DELETE FROM grdb_migrations WHERE identifier LIKE '7:%'",
    ] { try execute(folder, change) }
  }

  /// As the version before containers had identities left it, with these tokens of the query-log API.
  static func undoIdentities(_ folder: String, keepingTokens: Bool = true) throws {
    try undoLooks(folder)
    if keepingTokens { try execute(folder, "ALTER TABLE queryTokens DROP COLUMN userId") }
    for change in [
      "DROP INDEX containersByIdentity",
      "ALTER TABLE containers DROP COLUMN identity",
      "DELETE FROM grdb_migrations WHERE identifier LIKE '6:%'",
    ] { try execute(folder, change) }
  }

  private static func execute(_ folder: String, _ sql: String) throws {
    let queue = try DatabaseQueue(path: folder + "/control.sqlite")
    try queue.write { database in try database.execute(sql: sql) }
  }
}
