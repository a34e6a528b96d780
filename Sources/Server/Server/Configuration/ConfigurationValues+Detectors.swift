import Masking
import Records

extension ConfigurationValues {
  /// Detectors of the operator's own. Errors name the detector and its place, never its expression, which may
  /// have a secret in it.
  func detectors(_ path: String) throws(ConfigurationError) -> PatternDetectors {
    let (setting, entry) = tree.entry(path)
    guard case .list(let items) = entry.value else { throw wrong(setting, entry) }
    var definitions: [PatternDetectors.Definition] = []
    for (index, item) in items.enumerated() {
      definitions.append(try definition(item, place: "\(path)[\(index)]", source: entry.source))
    }
    do {
      return try PatternDetectors(definitions)
    } catch {
      guard let index = error.index else {
        throw .unusable(key: path, source: entry.source, reason: error.reason)
      }
      let place = "\(path)[\(index)]\(ConfigurationValues.shown(definitions[index].name))"
      throw .unusable(key: place, source: entry.source, reason: error.reason)
    }
  }

  private func definition(
    _ value: ConfigurationTree.Value, place: String, source: String
  ) throws(ConfigurationError) -> PatternDetectors.Definition {
    guard case .map(let members) = value else {
      throw .wrongValue(key: place, source: source, expected: "a map {name, pattern}")
    }
    for member in members.keys.sorted() where !["name", "pattern"].contains(member) {
      throw .unknownKey(key: "\(place).\(member)", source: source, suggestion: nil)
    }
    guard case .scalar(let name)? = members["name"] else {
      throw .wrongValue(key: "\(place).name", source: source, expected: "a text")
    }
    guard case .scalar(let pattern)? = members["pattern"] else {
      throw .wrongValue(key: "\(place).pattern", source: source, expected: "a text")
    }
    return PatternDetectors.Definition(name: name, pattern: pattern)
  }

  /// A detector's name behind its place, if it is one that can be shown.
  private static func shown(_ name: String) -> String {
    let isShort = !name.isEmpty && name.utf8.count <= 64
    return isShort && name.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? " (\(name))" : ""
  }
}
