import Codecs
import Decoding

/// Members of what tells of faults.
extension JSONWriter {
  /// The place of a validation error.
  package mutating func place(_ place: [ValidationPlace]) {
    name("loc")
    beginArray()
    for part in place {
      switch part {
      case .name(let text): value(text)
      case .index(let number): value(number)
      }
    }
    endArray()
  }

  /// A validation error's members as pydantic orders them.
  package mutating func fault(_ error: ValidationError) {
    member("type", error.type)
    place(error.place)
    member("msg", error.message)
  }
}
