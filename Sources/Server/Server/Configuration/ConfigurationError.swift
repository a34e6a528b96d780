/// What is wrong with the configuration: shown to whoever starts the server.
package enum ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case malformed(path: String, line: Int?, reason: String)
  case unknownKey(key: String, source: String, suggestion: String?)
  case wrongValue(key: String, source: String, expected: String)
  /// The value has the right form, but cannot be used because.
  case unusable(key: String, source: String, reason: String)
  /// The settings are well-formed, but the server must not start with them.
  case refused(String)

  /// A sentence for the operator; never a setting's value, but for names that are shown elsewhere too.
  package var description: String {
    switch self {
    case .unreadable(let path, let reason): return "cannot read the configuration \(path): \(reason)"
    case .malformed(let path, let line, let reason):
      return "\(path)\(line.map { ", line \($0)" } ?? ""): \(reason)"
    case .unknownKey(let key, let source, let suggestion):
      let hint =
        suggestion.map { "; did you mean \($0)?" } ?? "; Docs/operating/configuration.md lists all keys"
      return "\(source): there is no setting \(key)\(hint)"
    case .wrongValue(let key, let source, let expected): return "\(source): \(key) must be \(expected)"
    case .unusable(let key, let source, let reason): return "\(source): \(key): \(reason)"
    case .refused(let reason): return reason
    }
  }
}
