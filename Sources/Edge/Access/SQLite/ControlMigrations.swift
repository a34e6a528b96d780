import GRDB

extension ControlDatabase {
  /// The tables. Never change a migration that was released: add one.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    registerPeople(in: &migrator)
    registerKeys(in: &migrator)
    registerIdentities(in: &migrator)
    registerLooks(in: &migrator)
    registerPage(in: &migrator)
    return migrator
  }

  private static func registerPeople(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("1: users, tokens, containers, sessions") { database in
      try database.execute(
        sql: """
          CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL,
            role TEXT NOT NULL, hasDefaultPassword INTEGER NOT NULL, createdAt INTEGER NOT NULL);
          CREATE TABLE tokens (
            hash TEXT PRIMARY KEY, userId INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            issuedAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL) WITHOUT ROWID;
          CREATE INDEX tokensOfUser ON tokens(userId, issuedAt);
          CREATE TABLE containers (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
            ownerId INTEGER NOT NULL REFERENCES users(id), createdAt INTEGER NOT NULL);
          CREATE INDEX containersOfOwner ON containers(ownerId);
          CREATE TABLE sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT, containerId INTEGER NOT NULL REFERENCES containers(id),
            name TEXT NOT NULL, createdAt INTEGER NOT NULL, isWritten INTEGER NOT NULL DEFAULT 0,
            UNIQUE (containerId, name));
          CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("2: audit tenants, API keys") { database in
      try database.execute(
        sql: """
          CREATE TABLE auditTenants (
            id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
            secret TEXT NOT NULL, createdAt INTEGER NOT NULL);
          CREATE TABLE apiKeys (
            id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, realm TEXT NOT NULL,
            name TEXT NOT NULL, tenant TEXT NOT NULL, role TEXT NOT NULL, createdAt INTEGER NOT NULL,
            revokedAt INTEGER);
          CREATE UNIQUE INDEX liveAPIKeys ON apiKeys(realm, name) WHERE revokedAt IS NULL;
          """)
    }
    migrator.registerMigration("3: tokens of the query-log API") { database in
      try database.execute(
        sql: """
          CREATE TABLE queryTokens (
            hash TEXT PRIMARY KEY, user TEXT NOT NULL, issuedAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL)
            WITHOUT ROWID;
          CREATE INDEX queryTokensByAge ON queryTokens(issuedAt);
          """)
    }
  }

  private static func registerKeys(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("4: what API keys are for, and whether they let in") { database in
      try database.execute(
        sql: """
          ALTER TABLE apiKeys ADD COLUMN isActive INTEGER NOT NULL DEFAULT 1;
          ALTER TABLE apiKeys ADD COLUMN description TEXT NOT NULL DEFAULT '';
          """)
    }
    migrator.registerMigration("5: forwarders, dead letters") { database in
      try database.execute(
        sql: """
          CREATE TABLE forwarders (name TEXT PRIMARY KEY) WITHOUT ROWID;
          CREATE TABLE forwardingCursors (
            forwarder TEXT NOT NULL, realm TEXT NOT NULL, tenant TEXT NOT NULL, position INTEGER NOT NULL,
            bytes INTEGER NOT NULL, countedEnd INTEGER NOT NULL, recordBytesMean INTEGER NOT NULL,
            oldestAt INTEGER, PRIMARY KEY (forwarder, realm, tenant)) WITHOUT ROWID;
          CREATE TABLE deadLetters (
            number INTEGER PRIMARY KEY AUTOINCREMENT, forwarder TEXT NOT NULL, realm TEXT NOT NULL,
            tenant TEXT NOT NULL, position INTEGER NOT NULL, recordID TEXT NOT NULL,
            timestamp INTEGER NOT NULL, ingestedAt INTEGER NOT NULL, refusedAt INTEGER NOT NULL,
            reason TEXT NOT NULL, status INTEGER NOT NULL, attempts INTEGER NOT NULL, entry TEXT NOT NULL,
            UNIQUE (forwarder, realm, tenant, position));
          """)
    }
  }

  private static func registerIdentities(in migrator: inout DatabaseMigrator) {
    // Records of containers that were there before have the name where those of others have the identity.
    migrator.registerMigration("6: identities of containers; users by the looks of their names") {
      database in
      try database.execute(
        sql: """
          ALTER TABLE containers ADD COLUMN identity TEXT NOT NULL DEFAULT '';
          UPDATE containers SET identity = name;
          CREATE UNIQUE INDEX containersByIdentity ON containers(identity);
          CREATE INDEX usersByLooks ON users(name COLLATE \(DatabaseCollation.unicodeCompare.name));
          """)
    }
  }

  private static func registerPage(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("8: what users may do on the page; saved views") { database in
      try database.execute(
        sql: """
          CREATE TABLE grants (
            userId INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, realm TEXT NOT NULL,
            tenant TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (userId, realm, tenant)) WITHOUT ROWID;
          CREATE TABLE views (
            realm TEXT NOT NULL, tenant TEXT NOT NULL, userId INTEGER NOT NULL, name TEXT NOT NULL,
            kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (realm, tenant, userId, name));
          CREATE INDEX viewsOfUser ON views(userId) WHERE userId <> 0;
          """)
    }
  }

  private static func registerLooks(in migrator: inout DatabaseMigrator) {
    // Users that look alike stay as they are: only new ones are refused. A token of the query-log API whose
    // user wrote the name in another form is nobody's, as one that took no password is.
    migrator.registerMigration("7: users by how they look; query tokens by user; revoked audit tokens") {
      database in
      try database.execute(
        sql: """
          DROP INDEX usersByLooks;
          ALTER TABLE users ADD COLUMN looks TEXT NOT NULL DEFAULT '';
          CREATE INDEX usersByLooks ON users(looks);
          ALTER TABLE queryTokens ADD COLUMN userId INTEGER;
          UPDATE queryTokens SET userId = (SELECT id FROM users WHERE users.name = queryTokens.user);
          CREATE INDEX queryTokensOfUser ON queryTokens(userId);
          CREATE TABLE auditRevocations (
            tenant TEXT NOT NULL, jti TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (tenant, jti))
            WITHOUT ROWID;
          CREATE TABLE auditNotBefore (tenant TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
          """)
      for row in try Row.fetchAll(database, sql: "SELECT id, name FROM users") {
        try database.execute(
          sql: "UPDATE users SET looks = ? WHERE id = ?",
          arguments: [ShownName.looks(of: row["name"]), row["id"] as Int64])
      }
    }
  }
}
