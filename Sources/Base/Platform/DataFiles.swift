/// Files of the data directory that are the server's, not the store's, and go into a backup with it.
package enum DataFiles {
  /// The name by which importers know the store.
  package static let identity = "identity"
  /// The key of sealed secrets, unless it is configured from elsewhere. Readable for its owner alone.
  package static let secretsKey = "secrets.key"
  /// Where files go that are damaged or nobody knows.
  package static let lostAndFound = "lost+found"
}
