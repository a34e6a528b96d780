import Records

/// An API key as the control plane keeps it: its hash stands for the key.
package struct KeyRecord: Sendable, Hashable {
  /// By which requests find it.
  package let hash: TokenHash
  /// What listings show.
  package let key: StoredKey

  /// A key as it is kept.
  package init(hash: TokenHash, key: StoredKey) {
    self.hash = hash
    self.key = key
  }
}

/// What changed among API keys.
package enum KeyChange: Sendable {
  /// All there is, in the order they were made, revoked ones included: what was told before counts no more.
  case all([KeyRecord])
  case created(KeyRecord)
}

/// API keys, durably. Beside what is said they throw `database` and `diskFull`: then nothing changed.
package protocol KeyRepository: Sendable {
  /// Keeps a key. Bytes decide whether names are one; those of ingest keys in any case of ASCII letters.
  ///
  /// - Throws: `keyExists`: one of the name holds in the key's realm.
  func create(_ key: KeyRecord) async throws(AccessError)

  /// Ends the key of this name that holds in `realm`.
  ///
  /// - Parameter time: Nanoseconds since 1970.
  /// - Throws: `unknownKey`.
  func revoke(name: String, realm: Realm, at time: Int64) async throws(AccessError)
}
