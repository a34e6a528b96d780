import Columnar

/// Decompresses gzip bodies, several members included.
package struct GzipInflater: Inflater {
  /// Deflate makes at most 1032 bytes of one: so much input at a time bounds what is made before the budget is asked.
  private static let sliceBytes = 16 * 1024

  package init() {}

  package func inflate(_ body: [UInt8], bytesMax: Int, budget: UploadBudget) throws(Problem) -> [UInt8] {
    var output: [UInt8] = []
    var taken = 0
    do throws(Problem) {
      let decoder = try call { () throws(ColumnarError) in try GzipDecoder() }
      output.reserveCapacity(min(body.count * 4, bytesMax))
      var at = 0
      while at < body.count {
        let end = min(at + GzipInflater.sliceBytes, body.count)
        try call { () throws(ColumnarError) in
          try decoder.decode(body.span.extracting(at..<end), into: &output, limit: bytesMax)
        }
        guard budget.take(output.count - taken) else {
          throw Problem(503, "Too many uploads at one time (limits.upload_bytes_max).", retryAfterSeconds: 1)
        }
        taken = output.count
        at = end
      }
      try call { () throws(ColumnarError) in try decoder.finish() }
      return output
    } catch {
      budget.give(taken)
      throw error
    }
  }

  private func call<Value>(_ body: () throws(ColumnarError) -> Value) throws(Problem) -> Value {
    do throws(ColumnarError) { return try body() } catch {
      switch error {
      case .limitExceeded(let max):
        throw Problem(413, "The body decompresses to more than \(max) bytes (limits.body_bytes_max).")
      case .corrupt, .unsupported, .sink: throw Problem(400, "The body is not well-formed gzip.")
      }
    }
  }
}

/// Decompresses request bodies.
package protocol Inflater: Sendable {
  /// The bytes `body` stands for. Takes them from `budget`; the caller gives back `count` of what it got.
  ///
  /// - Throws: 413 beyond `bytesMax`, 503 when the budget is used up, 400 for a broken stream; nothing is taken then.
  func inflate(_ body: [UInt8], bytesMax: Int, budget: UploadBudget) throws(Problem) -> [UInt8]
}
