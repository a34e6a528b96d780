import Matching
import Records

/// Detectors of the operator's own: a name and a regular expression each, compiled.
package struct PatternDetectors: Sendable, Hashable {
  /// One of them, as it is configured.
  package struct Definition: Sendable {
    package let name: String
    /// See ``CapturePattern``.
    package let pattern: String

    package init(name: String, pattern: String) {
      self.name = name
      self.pattern = pattern
    }
  }

  /// Why there are no such detectors.
  package struct Failure: Error, Hashable {
    /// Which definition is the cause; nil: all together are.
    package let index: Int?
    /// A sentence that quotes no expression.
    package let reason: String
  }

  package static let countMax = 32
  /// A longer name would not be known again in ``MaskedText``.
  package static let nameBytesMax = 24
  package static let none = PatternDetectors()

  let names: [Name]
  private let patterns: [CapturePattern]
  /// nil: there are none.
  private let finder: CapturePatternSet?

  private init() {
    names = []
    patterns = []
    finder = nil
  }

  /// - Throws: More than ``countMax`` definitions, a name that is none or stands twice, an expression that
  ///   ``CapturePattern`` refuses, or all together have too many states.
  package init(_ definitions: [Definition]) throws(Failure) {
    guard definitions.count <= PatternDetectors.countMax else {
      throw Failure(index: nil, reason: "there are more than \(PatternDetectors.countMax)")
    }
    var names: [Name] = []
    var patterns: [CapturePattern] = []
    for (index, definition) in definitions.enumerated() {
      if let reason = PatternDetectors.fault(of: definition.name, among: names) {
        throw Failure(index: index, reason: reason)
      }
      names.append(Name(definition.name))
      do {
        patterns.append(try CapturePattern(definition.pattern))
      } catch {
        throw Failure(index: index, reason: PatternDetectors.reason(error))
      }
    }
    self.names = names
    self.patterns = patterns
    do {
      finder = patterns.isEmpty ? nil : try CapturePatternSet(patterns)
    } catch {
      throw Failure(index: nil, reason: PatternDetectors.reason(error))
    }
  }

  private static func fault(of name: String, among names: [Name]) -> String? {
    let isName = name.utf8.allSatisfy { TextClass.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
    guard isName, !name.isEmpty, name.utf8.count <= nameBytesMax else {
      return "its name must be 1 to \(nameBytesMax) of the characters A-Z, a-z, 0-9 and _"
    }
    if DetectorSet.names.contains(name) { return "a built-in detector has this name" }
    return names.contains(Name(name)) ? "another one has this name" : nil
  }

  private static func reason(_ error: StoreError) -> String {
    if case .invalid(let reason) = error { return reason }
    return "\(error)"
  }

  var isEmpty: Bool { finder == nil }

  /// What they find in `text`, by their order. See ``CapturePatternSet/search(_:)``.
  func found(in text: Span<UInt8>) -> [CapturePatternSet.Found] { finder?.search(text).found ?? [] }

  /// By names and expressions.
  package static func == (left: PatternDetectors, right: PatternDetectors) -> Bool {
    left.names == right.names && left.patterns == right.patterns
  }

  /// Likewise.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(names)
    hasher.combine(patterns)
  }
}
