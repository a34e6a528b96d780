import Records

/// A block's mapped file, as errors name it.
struct BlockMapping: Sendable {
  let path: String
  private let mapping: (any FileMapping)?

  init(_ file: Buffer, path: String) {
    self.path = path
    mapping = file.fileMapping
  }

  /// Runs `body`, which reads the file. Where a page was met that the disk does not give, that is the error,
  /// whatever `body` made of the zeros it saw there. One load.
  func reading<Value>(_ body: () throws(BlockError) -> Value) throws(BlockError) -> Value {
    let value: Value
    do throws(BlockError) { value = try body() } catch {
      try requireReadable()
      throw error
    }
    try requireReadable()
    return value
  }

  /// As ``reading(_:)``, with errors as the seams know them.
  func answering<Value>(_ body: () throws(BlockError) -> Value) throws(StoreError) -> Value {
    do throws(BlockError) { return try reading(body) } catch { throw error.storeError }
  }

  /// Throws if a page was met that the disk does not give.
  func requireReadable() throws(BlockError) {
    guard let byte = mapping?.failedByte else { return }
    throw .corrupt(file: path, offsetBytes: byte, reason: "the disk does not give this page")
  }
}
