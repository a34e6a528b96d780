/// Whose records these are. Every read and write names exactly one tenant.
package struct Tenant: Sendable, Hashable, CustomStringConvertible {
  /// The most UTF-8 bytes a tenant name may have; the journal stores its length in two bytes.
  package static let nameBytesMax = 512

  package let realm: Realm
  /// Non-empty, at most ``nameBytesMax`` UTF-8 bytes, any characters but NUL.
  package let name: String

  /// Traps on a name outside its bounds: callers check what comes from outside with ``isValid(name:)``.
  package init(realm: Realm, name: String) {
    invariant(Tenant.isValid(name: name), "a tenant name has 1 to 512 bytes and no NUL")
    self.realm = realm
    self.name = name
  }

  /// Byte by byte: names that look the same are two tenants (``Name``).
  package static func == (left: Tenant, right: Tenant) -> Bool {
    left.realm == right.realm && left.name.hasBytes(of: right.name)
  }

  /// Of the name's bytes.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(realm)
    name.hashBytes(into: &hasher)
  }

  package static func isValid(name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= nameBytesMax && !name.utf8.contains(0)
  }

  package var description: String { "\(realm.name)/\(name)" }
}

/// The records of one tenant in one dataset: what one scan reads and one block holds.
package struct Partition: Sendable, Hashable, CustomStringConvertible {
  package let tenant: Tenant
  package let dataset: Dataset

  package init(tenant: Tenant, dataset: Dataset) {
    self.tenant = tenant
    self.dataset = dataset
  }

  package var description: String { "\(tenant)/\(dataset.name)" }

  /// An order in which no two partitions are equal; makes no text for it.
  package func precedes(_ other: Partition) -> Bool {
    if !tenant.name.hasBytes(of: other.tenant.name) { return Name(tenant.name) < Name(other.tenant.name) }
    if tenant.realm.code != other.tenant.realm.code { return tenant.realm.code < other.tenant.realm.code }
    return dataset.code < other.dataset.code
  }
}
