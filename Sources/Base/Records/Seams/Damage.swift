/// What a scan does about files of the partition that are damaged or missing.
package enum DamagePolicy: Sendable, Hashable {
  /// It ends with the error of the file: `.corrupt`.
  case refuse
  /// It reads all others; ``PartitionSnapshot/damagedFiles`` says what the answer lacks.
  case leaveOut
}

/// A file of the store whose rows no scan can give: damaged, or missing.
package struct DamagedFile: Sendable, Hashable {
  /// Whose rows are lacking.
  package var partition: Partition
  /// The file, from the data directory on: names no other directory of the machine.
  package var name: String
  /// As the system finds it.
  package var path: String
  /// Where in the file; 0 if it is missing.
  package var offsetBytes: Int
  /// For people.
  package var reason: String
  /// The most rows that are lacking.
  package var rowCount: Int

  /// What is known of one file.
  package init(
    partition: Partition, name: String, path: String, offsetBytes: Int, reason: String, rowCount: Int
  ) {
    self.partition = partition
    self.name = name
    self.path = path
    self.offsetBytes = offsetBytes
    self.reason = reason
    self.rowCount = rowCount
  }

  /// What a scan ends with that must not leave it out.
  package var error: StoreError { .corrupt(file: path, offsetBytes: offsetBytes, reason: reason) }
}
