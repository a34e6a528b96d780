import Records
import Yams

/// The settings of all sources laid over one another: flags over environment over file over defaults.
///
/// Values stay YAML nodes until they are read with their type, so that the words of every source mean the
/// same.
package struct ConfigurationTree: Sendable {
  /// Where a value came from, for errors.
  struct Entry: Sendable {
    var value: Value
    var source: String
  }

  /// A YAML value without its place in a file.
  enum Value: Sendable, Hashable {
    case scalar(String)
    case list([Value])
    case map([String: Value])

    init(_ node: Node) {
      switch node {
      case .scalar(let scalar): self = .scalar(scalar.string)
      case .sequence(let items): self = .list(items.map(Value.init))
      case .mapping(let pairs):
        self = .map(
          Dictionary(pairs.map { ($0.key.string ?? "", Value($0.value)) }, uniquingKeysWith: { $1 }))
      case .alias: self = .scalar("")
      }
    }
  }

  private var entries: [String: Entry] = [:]
  /// What was taken without effect, or may be a mistake.
  package private(set) var warnings: [String] = []
  private static let settings = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.path, $0) })

  /// Nothing is set.
  package init() {}

  /// Lays the text of a configuration file over what is there.
  package mutating func overlay(yaml text: String, path: String) throws(ConfigurationError) {
    let node: Node?
    do {
      node = try Yams.compose(yaml: text)
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      throw .malformed(
        path: path, line: context.mark.line,
        reason: "a key stands twice in one map: \(ConfigurationTree.shown(keys))")
    } catch let error as YamlError {
      throw .malformed(
        path: path, line: ConfigurationTree.line(of: error), reason: "this is not well-formed YAML")
    } catch {
      throw .malformed(path: path, line: nil, reason: "this is not well-formed YAML")
    }
    guard let node else { return }
    if case .scalar(let scalar) = node, scalar.string.isEmpty || scalar.string == "null" { return }
    guard case .mapping(let mapping) = node else {
      throw .malformed(path: path, line: nil, reason: "the configuration must be a map of settings")
    }
    var layer = Layer()
    try read(mapping, below: "", path: path, into: &layer)
    // Our own name for a setting wins over another system's in the same file.
    entries.merge(layer.foreign) { $1 }
    entries.merge(layer.own) { $1 }
  }

  /// What one file says, by whose name.
  private struct Layer {
    var own: [String: Entry] = [:]
    var foreign: [String: Entry] = [:]
  }

  /// Keys as they may be shown: a token that stands as a key is not.
  private static func shown(_ keys: [String]) -> String {
    let known = Set(
      (Setting.all.map(\.path) + IngestSystemNames.file.keys).flatMap { $0.split(separator: ".") })
    let names = keys.filter { key in
      known.contains { $0 == key } || ["name", "active", "description"].contains(key)
    }
    return names.isEmpty ? "a name or token of your own" : names.joined(separator: ", ")
  }

  private static let names = Array(settings.keys) + Array(IngestSystemNames.file.keys)

  private mutating func read(
    _ mapping: Node.Mapping, below prefix: String, path: String, into layer: inout Layer
  ) throws(ConfigurationError) {
    for (keyNode, node) in mapping {
      let key = prefix + (keyNode.string ?? "")
      let source = keyNode.mark.map { "\(path), line \($0.line)" } ?? path
      if ConfigurationTree.settings[key] != nil {
        layer.own[key] = Entry(value: Value(node), source: source)
      } else if let meaning = IngestSystemNames.file[key] {
        if let (path, value) = try take(meaning, Value(node), key: key, source: source) {
          layer.foreign[path] = Entry(value: value, source: source)
        }
      } else if ConfigurationTree.names.contains(where: { $0.hasPrefix(key + ".") }) {
        switch node {
        case .mapping(let inner): try read(inner, below: key + ".", path: path, into: &layer)
        case .scalar(let scalar) where scalar.string.isEmpty || scalar.string == "null": break
        default: throw .wrongValue(key: key, source: source, expected: "a map of settings")
        }
      } else {
        throw .unknownKey(key: key, source: source, suggestion: ConfigurationTree.suggestion(for: key))
      }
    }
  }

  /// The setting and value that another system's name stands for; nil: it has no effect, which is told.
  private mutating func take(
    _ meaning: IngestSystemNames.Meaning, _ value: Value, key: String, source: String
  ) throws(ConfigurationError) -> (String, Value)? {
    switch meaning {
    case .setting(let path): return (path, value)
    case .logLevel:
      guard case .scalar(let name) = value, let level = IngestSystemNames.logLevel(name) else {
        throw .wrongValue(key: key, source: source, expected: "DEBUG, INFO, WARNING, ERROR or CRITICAL")
      }
      return ("logging.level", .scalar(level))
    case .ignored(let reason):
      warnings.append("\(source): \(key) has no effect here: \(reason)")
      return nil
    }
  }

  /// Lays aliases, then `CORDWOOD_…` variables over what is there. Returns warnings: names that look like a
  /// misspelt setting. Other names are left alone, since commands and scripts have variables of their own.
  package mutating func overlay(environment: [String: String]) throws(ConfigurationError) -> [String] {
    var warnings: [String] = []
    try overlay(ingestSystem: environment, warnings: &warnings)
    for setting in Setting.all {
      guard let alias = setting.alias, let text = environment[alias], !text.isEmpty else { continue }
      try overlay(setting, text: text, source: "environment \(alias)")
    }
    let names = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.environmentName, $0) })
    for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("CORDWOOD_") {
      if let setting = names[name] {
        try overlay(setting, text: text, source: "environment \(name)")
      } else if let near = NearestName.of(name, among: names.keys.sorted()) {
        warnings.append("the environment variable \(name) is no setting; did you mean \(near)?")
      }
    }
    overlay(ingestKeys: environment, warnings: &warnings)
    return warnings
  }

  /// Lays the ingest system's `LOGSTACK_…` variables over what is there.
  private mutating func overlay(
    ingestSystem environment: [String: String], warnings: inout [String]
  ) throws(ConfigurationError) {
    let names = IngestSystemNames.environment
    for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("LOGSTACK_") {
      if name.hasPrefix(IngestSystemNames.keyPrefix) || text.isEmpty { continue }
      guard let meaning = names[name] else {
        let near = NearestName.of(name, among: names.keys.sorted()).map { "; did you mean \($0)?" }
        warnings.append("the environment variable \(name) is no setting\(near ?? "")")
        continue
      }
      let source = "environment \(name)"
      if let (path, value) = try take(meaning, .scalar(text), key: name, source: source),
        case .scalar(let text) = value, let setting = ConfigurationTree.settings[path]
      {
        try overlay(setting, text: text, source: source)
      }
    }
  }

  /// Keys of the environment, one by one, over those of one variable; with either, those of a file do not
  /// count.
  private mutating func overlay(ingestKeys environment: [String: String], warnings: inout [String]) {
    let path = "ingest.api_keys"
    let single = IngestSystemNames.keys(in: environment, warnings: &warnings)
    guard !single.isEmpty else { return }
    var keys: [String: Value] = [:]
    if let entry = entries[path], case .map(let members) = entry.value {
      if entry.source.hasPrefix("environment ") {
        keys = members
      } else {
        warnings.append("the ingest keys of \(entry.source) are not used: the environment defines keys")
      }
    }
    keys.merge(single) { $1 }
    entries[path] = Entry(value: .map(keys), source: "environment \(IngestSystemNames.keyPrefix)…")
  }

  /// Lays one `path=value` of the command line over what is there.
  package mutating func overlay(path: String, text: String, source: String) throws(ConfigurationError) {
    guard let setting = ConfigurationTree.settings[path] else {
      throw .unknownKey(key: path, source: source, suggestion: ConfigurationTree.suggestion(for: path))
    }
    try overlay(setting, text: text, source: source)
  }

  private mutating func overlay(_ setting: Setting, text: String, source: String) throws(ConfigurationError) {
    guard setting.kind.isStructured else {
      entries[setting.path] = Entry(value: .scalar(text), source: source)
      return
    }
    // An unreadable text, one with a key twice in it, and none at all are the same mistake here.
    guard let node = try? Yams.compose(yaml: text) else {
      throw .wrongValue(key: setting.path, source: source, expected: "\(setting.kind.name), as YAML")
    }
    entries[setting.path] = Entry(value: Value(node), source: source)
  }

  /// The value of `path`, which must be a setting; the default when no source has it.
  func entry(_ path: String) -> (setting: Setting, entry: Entry) {
    guard let setting = ConfigurationTree.settings[path] else { bug("\(path) is a setting") }
    if let entry = entries[path] { return (setting, entry) }
    guard setting.kind.isStructured else {
      return (setting, Entry(value: .scalar(setting.defaultText), source: "default"))
    }
    // Nothing but well-formed YAML stands in the table, which a test reads.
    guard let node = try? Yams.compose(yaml: setting.defaultText) else {
      bug("the default of \(path) is YAML")
    }
    return (setting, Entry(value: Value(node), source: "default"))
  }

  private static func line(of error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
    default: nil
    }
  }

  /// The setting `key` was perhaps meant to be: near in spelling, or with the same last word.
  static func suggestion(for key: String) -> String? {
    let paths = Setting.all.map(\.path)
    if let near = NearestName.of(key, among: names) { return near }
    let last = key.split(separator: ".").last.map(String.init) ?? key
    return paths.first { $0 == last || $0.hasSuffix("." + last) }
  }
}
