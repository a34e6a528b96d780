import GRDB

/// What other versions of the program may have done to the database.
enum AccessDatabaseFault {
  static func addUnknownMigration(_ folder: String) throws {
    let queue = try DatabaseQueue(path: folder + "/control.sqlite")
    try queue.write { database in
      try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99: from the future')")
    }
  }
}
