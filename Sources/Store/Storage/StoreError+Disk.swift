import Journaling
import Platform
import Records

extension StoreError {
  /// What a refusal of the disk means to whoever asked the store.
  init(_ error: DiskError) {
    switch error {
    case .full(let operation, let path): self = .diskFull("no room to \(operation) \(path)")
    case .notFound(let path): self = .disk("\(path) does not exist")
    case .failed(.recognize, let path, _, _):
      self = .disk(
        "\(path) is not the directory that was opened: it was moved away or replaced. "
          + "Nothing is made or removed there until it is back"
      )
    case .failed: self = error.isExhaustion ? .exhausted("\(error)") : .disk("\(error)")
    }
  }
}

extension StoreError {
  /// What a journal that cannot be opened means to whoever asked the store.
  package init(_ error: JournalError) {
    switch error {
    case .disk(let error): self = StoreError(error)
    case .corrupt(let file, let offset, let reason):
      self = .corrupt(file: file, offsetBytes: offset, reason: reason)
    case .laterVersion(let file, let version): self = .laterVersion(file: file, version: version)
    }
  }
}

/// Runs `body`, giving errors of the disk as errors of the store.
func withDisk<Value>(_ body: () throws(DiskError) -> Value) throws(StoreError) -> Value {
  do throws(DiskError) { return try body() } catch { throw StoreError(error) }
}
