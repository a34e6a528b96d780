import Platform
import Records
import Synchronization

/// A disk that a seed repeats. Everything a crash may take is taken as the generator says: written sectors that
/// were not synced survive in any subset, creations, renames and removals not synced with their directory likewise.
package final class SimulatedDisk: FileSystem {
  package enum Operation: String, Sendable, Hashable, CaseIterable {
    case createDirectory, list, exists, isDirectory, create, open, rename, remove, removeDirectory,
      syncDirectory
    case freeBytes, size, write, read, sync, map
  }

  package enum Fault: Sendable, Hashable {
    /// The operation fails with EIO and does nothing. A sync (of a file or directory) that fails forgets: what it should have kept
    /// is dropped from what later syncs keep, though reads still show it.
    case error
    /// The operation fails with ENOSPC; a write has written a random part before.
    case full
    /// A write fails with EIO after a random part.
    case short
  }

  package init(seed: UInt64, quotaBytes: Int = 1 << 40) {
    preconditionFailure("to come")
  }

  /// Fails the `count`-th operation of `kind` from now (1: the next) whose path ends with `suffix`, once.
  package func fail(_ kind: Operation, after count: Int, pathSuffix suffix: String = "", with fault: Fault) {
    preconditionFailure("to come")
  }
  /// Bytes files may hold together.
  package func setQuota(_ bytes: Int) { preconditionFailure("to come") }
  /// The disk as found after a power cut. This one answers every later call with EIO.
  package func crash() -> SimulatedDisk { preconditionFailure("to come") }
  /// The disk as found after kill -9 of the process: nothing is lost.
  package func kill() -> SimulatedDisk { preconditionFailure("to come") }
  /// Flips one bit of the file, in the cache and on the platter.
  package func rot(_ path: String, offset: Int, bit: Int) { preconditionFailure("to come") }
  /// All files, sorted.
  package func files() -> [String] { preconditionFailure("to come") }
  package func contents(_ path: String) -> [UInt8] { preconditionFailure("to come") }
  /// The operations so far, as text: "write path 0+512".
  package func log() -> [String] { preconditionFailure("to come") }

  package func createDirectory(_ path: String) throws(DiskError) { preconditionFailure("to come") }
  package func list(_ path: String) throws(DiskError) -> [String] { preconditionFailure("to come") }
  package func exists(_ path: String) throws(DiskError) -> Bool { preconditionFailure("to come") }
  package func isDirectory(_ path: String) throws(DiskError) -> Bool { preconditionFailure("to come") }
  package func create(_ path: String) throws(DiskError) -> any File { preconditionFailure("to come") }
  package func open(_ path: String, writable: Bool) throws(DiskError) -> any File {
    preconditionFailure("to come")
  }
  package func rename(_ source: String, to target: String) throws(DiskError) {
    preconditionFailure("to come")
  }
  package func remove(_ path: String) throws(DiskError) { preconditionFailure("to come") }
  package func removeDirectory(_ path: String) throws(DiskError) { preconditionFailure("to come") }
  package func syncDirectory(_ path: String) throws(DiskError) { preconditionFailure("to come") }
  package func freeBytes(at path: String) throws(DiskError) -> Int { preconditionFailure("to come") }
  package func totalBytes(at path: String) throws(DiskError) -> Int { preconditionFailure("to come") }
}
