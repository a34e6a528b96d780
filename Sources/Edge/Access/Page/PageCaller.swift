import Records

/// Who asks by way of the page.
package enum PageCaller: Sendable, Hashable {
  /// Nobody has to say who they are: in development without keys.
  case open(Principal, isAdministrator: Bool)
  case user(PageUser)
  /// Who signed in with a key of the native API.
  case key(Principal)

  /// For people and logs; nil: nobody said.
  package var name: String? {
    switch self {
    case .open: nil
    case .user(let user): user.name
    case .key(let principal): principal.subject
    }
  }

  /// Whether users, keys and grants are theirs to see and to change.
  package var isAdministrator: Bool {
    switch self {
    case .open(_, let isAdministrator): isAdministrator
    case .user(let user): user.role == .admin
    case .key: false
    }
  }
}

extension PageCaller {
  /// Whether both are one person, or one key, whatever they may do by now.
  package func isSame(as other: PageCaller) -> Bool {
    switch (self, other) {
    case (.open, .open): true
    case (.user(let left), .user(let right)): left.id == right.id
    case (.key(let left), .key(let right)): left.credential == right.credential && left.tenant == right.tenant
    case (.open, _), (.user, _), (.key, _): false
    }
  }
}

/// A user who signed in.
package struct PageUser: Sendable, Hashable {
  package let id: Int64
  package let name: String
  /// Of the user, not of what is granted.
  package let role: Role
}

/// A tenant that is somebody's to look at.
package struct PageTenant: Sendable, Hashable {
  package let tenant: Tenant
  /// What they may do there.
  package let role: Role
}
