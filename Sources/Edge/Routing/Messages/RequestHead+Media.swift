import Columnar
import Records

extension RequestHead {
  /// The media type of the body in lower case, without parameters; nil if the request names none.
  package var mediaType: String? {
    guard let type = headers.first(name: "Content-Type") else { return nil }
    let name = type.part(before: ";").trimmed.asciiLowercased
    return name.isEmpty ? nil : name
  }

  /// Whether the body is JSON as far as the request says: a request that names no type is believed.
  package var isJSON: Bool {
    guard let type = mediaType else { return true }
    return type.hasBytes(of: "application/json")
      || type.hasBytes(from: "application/") && type.utf8.suffix(5).elementsEqual("+json".utf8)
  }

  private var codings: [String] { headers[list: "Content-Encoding"].map(\.asciiLowercased) }

  /// Whether the body is sent as it is.
  package var isPlain: Bool { codings.isEmpty || codings.count == 1 && codings[0].hasBytes(of: "identity") }

  /// How the body is compressed; nil: not, or in a way that is not known, or twice.
  package var contentCoding: ContentCoding? { codings.count == 1 ? ContentCoding(codings[0]) : nil }
}
