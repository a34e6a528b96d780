import Codecs
import Decoding

/// Members and lists that several APIs' answers have.
extension JSONText {
  package mutating func member(_ key: StaticString, _ text: String?) {
    name(key)
    if let text { value(text) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ number: Int) {
    name(key)
    value(number)
  }

  /// Values written before, separated by commas, as an array.
  package mutating func array(of written: [UInt8]) {
    beginArray()
    members(written)
    endArray()
  }

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

  package mutating func member(_ key: StaticString, _ flag: Bool) {
    name(key)
    value(flag)
  }

  /// A time to the microsecond.
  ///
  /// - Parameter zone: `Z`, or empty for clients that expect none.
  package mutating func time(_ key: StaticString, _ nanoseconds: Int64, zone: StaticString) {
    name(key)
    var writer = JSONWriter(capacity: 40)
    writer.appendMicrosecondTimestamp(nanoseconds, zone: zone)
    raw(writer.takeBytes())
  }

  /// A list of objects, one for each element, with the members that `write` writes.
  package mutating func list<Element>(
    _ elements: some Sequence<Element>, _ write: (inout JSONText, Element) -> Void
  ) {
    beginArray()
    for element in elements {
      beginObject()
      write(&self, element)
      endObject()
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
