import Records

/// What a request wants to do.
package enum Permission: Sendable, Hashable {
  case read, write
  /// Takes records out as a file: for auditors, not for everybody who reads.
  case export
  case administer
  /// Of the server as a whole, whosoever records it concerns: no tenant's role has it.
  case operate
}

/// What a caller may do with a tenant's records.
package enum Role: String, Sendable, Hashable, CaseIterable {
  case reader
  /// Writes only: what ships logs need not see them.
  case writer
  /// Reads, in every form, and writes.
  case user
  /// Of the audit API: reads, writes and exports.
  case auditor
  /// Of the audit API: reads and writes, but takes no exports.
  case viewer
  /// All of that, and deletes, flushes and sees metrics.
  case admin

  /// Those an API key may have.
  package static let ofKeys: [Role] = [.reader, .writer, .user, .admin]

  /// Those an API key of a realm may have. A workflow key is its client, which reads and writes; one with the
  /// role
  /// `admin` is shown how its queries run as well.
  package static func ofKeys(_ realm: Realm) -> [Role] {
    switch realm {
    case .workflow: [.user, .admin]
    case .ingest: [.writer]
    default: ofKeys
    }
  }

  /// Whether the role lets do it.
  package func allows(_ permission: Permission) -> Bool {
    switch (self, permission) {
    case (_, .operate): false
    case (.admin, _): true
    case (.user, .read), (.user, .write), (.user, .export): true
    case (.auditor, .read), (.auditor, .write), (.auditor, .export): true
    case (.viewer, .read), (.viewer, .write): true
    case (.reader, .read), (.reader, .export): true
    case (.writer, .write): true
    case (.user, .administer), (.auditor, .administer), (.viewer, .export), (.viewer, .administer),
      (.reader, .write), (.reader, .administer), (.writer, .read), (.writer, .export),
      (.writer, .administer):
      false
    }
  }
}

/// What one caller may ask for at most, beside the server's own limits.
package struct PrincipalLimits: Sendable, Hashable {
  /// Bytes of a request's body; nil: the server's `limits.body_bytes_max`.
  package var bodyBytesMax: Int?

  /// Without arguments: no limits beside the server's.
  package init(bodyBytesMax: Int? = nil) { self.bodyBytesMax = bodyBytesMax }

  /// No limits beside the server's.
  package static let none = PrincipalLimits()
}

/// Who a request comes from, once its credential was checked: all that the rest of the server sees of
/// credentials.
package struct Principal: Sendable, Hashable {
  /// Whose records the caller reads and writes.
  package let tenant: Tenant
  /// The credential's or the user's name, for logs and metrics; never the credential.
  package let subject: String
  /// What the caller may do.
  package let role: Role
  /// Whether the caller has rights over the server: never by a credential that a tenant can make.
  package private(set) var isOperator = false
  /// Holds for every record the caller may read or delete, whatever it asks for.
  package let filter: Predicate
  /// What the caller may ask for at most.
  package let limits: PrincipalLimits
  /// A hash of the credential or the user: the scope of idempotency keys.
  package let credential: UInt64

  /// A caller whose credential was checked.
  package init(
    tenant: Tenant, subject: String, role: Role, credential: UInt64, filter: Predicate = .all,
    limits: PrincipalLimits = .none
  ) {
    self.tenant = tenant
    self.subject = subject
    self.role = role
    self.filter = filter
    self.limits = limits
    self.credential = credential
  }

  /// The same caller, with rights over the server.
  package func operating(_ isOperator: Bool = true) -> Principal {
    var other = self
    other.isOperator = isOperator
    return other
  }

  /// Whether the caller may.
  package func allows(_ permission: Permission) -> Bool {
    permission == .operate ? isOperator : role.allows(permission)
  }
}
