import Codecs
import Records

/// Tags as Datadog's clients write them, `env:prod,team:shop`, as labels.
struct DatadogTags {
  /// In the order the names first came.
  private(set) var pairs: [(name: String, values: [String])] = []
  /// Whether there were more tags than there may be.
  private(set) var isCut = false
  private var places: [Name: Int] = [:]
  private var count = 0
  private let countMax: Int

  /// - Parameter countMax: Tags there may be.
  init(countMax: Int) { self.countMax = countMax }

  /// Adds a tag; a name may have several values.
  mutating func add(_ name: String, _ value: String) {
    guard count < countMax else {
      isCut = true
      return
    }
    count += 1
    if let place = places[Name(name)] {
      pairs[place].values.append(value)
    } else {
      places[Name(name)] = pairs.count
      pairs.append((name, [value]))
    }
  }

  /// Adds a list of tags. One without a colon is a name without a value; blanks around them are none of
  /// theirs.
  mutating func add(list: String) {
    for part in list.parts(at: ",") {
      let tag = part.trimmed
      if tag.isEmpty { continue }
      let name = tag.part(before: ":")
      let value = tag.utf8.dropFirst(name.utf8.count + 1)
      if name.isEmpty { add(String(tag), "") } else { add(String(name), String(Substring(value))) }
    }
  }

  /// The first value of a name that is not empty.
  subscript(name: String) -> String? {
    places[Name(name)].flatMap { pairs[$0].values.first { !$0.isEmpty } }
  }

  /// Writes the member `labels`; a name with several values has a list.
  func write(to text: inout JSONWriter) {
    guard !pairs.isEmpty else { return }
    text.name("labels")
    text.beginObject()
    for pair in pairs {
      text.name(repaired: pair.name)
      if pair.values.count > 1 { text.beginArray() }
      for value in pair.values { text.value(repaired: value) }
      if pair.values.count > 1 { text.endArray() }
    }
    text.endObject()
  }
}
