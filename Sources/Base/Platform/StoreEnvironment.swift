import Records

/// What a store stands on: the disk, time, chance, and who is told what it does by itself.
package struct StoreEnvironment: Sendable {
  /// The only way to files.
  package var fileSystem: any FileSystem
  /// Gives `ingested_at`, and the age of rows.
  package var clock: any WallClock
  /// Gives the age of idempotency keys.
  package var uptime: any UptimeClock
  /// Gives the random part of ids.
  package var entropy: any EntropySource
  /// Is told of what nobody waits for.
  package var observer: any StoreObserver
  /// Is charged with idempotency keys; nil: they are counted by their table alone.
  package var keysMemory: MemoryBudget?
  /// Is charged with open blocks, half of which are closed when nothing is left of it.
  package var blocksMemory: MemoryBudget?
  /// Is charged with decoded pages, which go when others find nothing left.
  package var pagesMemory: MemoryBudget?

  /// By default the machine's, telling nobody.
  package init(
    fileSystem: any FileSystem = LocalFileSystem(), clock: any WallClock = SystemClock(),
    uptime: any UptimeClock = SystemUptime(),
    entropy: any EntropySource = SystemEntropy(), observer: any StoreObserver = NoObserver()
  ) {
    self.fileSystem = fileSystem
    self.clock = clock
    self.uptime = uptime
    self.entropy = entropy
    self.observer = observer
  }
}
