import Records

/// What a store stands on: the disk, time, chance, and who is told what it does by itself.
package struct StoreEnvironment: Sendable {
  package var fileSystem: any FileSystem
  package var clock: any WallClock
  package var entropy: any EntropySource
  package var observer: any StoreObserver

  /// By default the machine's, telling nobody.
  package init(
    fileSystem: any FileSystem = LocalFileSystem(), clock: any WallClock = SystemClock(),
    entropy: any EntropySource = SystemEntropy(), observer: any StoreObserver = NoObserver()
  ) {
    self.fileSystem = fileSystem
    self.clock = clock
    self.entropy = entropy
    self.observer = observer
  }
}
