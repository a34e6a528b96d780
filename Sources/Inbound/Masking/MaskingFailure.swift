import Codecs

/// What is left of a record whose masking hit its bound.
package enum MaskingFailure {
  /// Stands in its text columns.
  package static let text = "masking_failed"

  /// `{"error":"masking_failed","original_keys":[…]}`.
  package static func object(_ names: [[UInt8]]) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.append(raw: "{\"error\":\"\(text)\",\"original_keys\":[")
    for (index, name) in names.enumerated() {
      if index > 0 { writer.append(raw: ",") }
      writer.appendString(name.span)
    }
    writer.append(raw: "]}")
    return writer.takeBytes()
  }
}
