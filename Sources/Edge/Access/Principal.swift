import Records

/// What a request wants to do.
package enum Permission: Sendable, Hashable {
  case read, write, administer
}

/// What a caller may do.
package enum Role: String, Sendable, Hashable, CaseIterable {
  case reader
  /// Writes only: what ships logs need not see them.
  case writer
  /// Reads and writes.
  case user
  /// All of that, and deletes, flushes and sees metrics.
  case admin

  package func allows(_ permission: Permission) -> Bool {
    switch (self, permission) {
    case (.admin, _), (.user, .read), (.user, .write), (.reader, .read), (.writer, .write): true
    case (.user, .administer), (.reader, _), (.writer, _): false
    }
  }
}

/// Who a request comes from, once its credential was checked.
package struct Principal: Sendable, Hashable {
  /// Whose records the caller reads and writes.
  package let tenant: Tenant
  /// The credential's name, for logs and metrics; never the credential.
  package let subject: String
  package let role: Role
  /// A hash of the credential: the scope of idempotency keys.
  package let credential: UInt64

  package init(tenant: Tenant, subject: String, role: Role, credential: UInt64) {
    self.tenant = tenant
    self.subject = subject
    self.role = role
    self.credential = credential
  }
}
