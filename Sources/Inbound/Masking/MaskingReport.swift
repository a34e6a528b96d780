import Codecs
import Records

/// What a plan does to a sample: for administrators who try their rules.
package struct MaskingReport: Sendable, Hashable {
  /// A value that was hidden, or holds a place that was replaced.
  package struct Finding: Sendable, Hashable {
    /// Where, as a JSON pointer (RFC 6901): `/metadata/users/0/email`.
    package let path: String
    /// A name of ``MaskedCount/rule``.
    package let rule: String
  }

  /// The masked sample, without white space.
  package let text: String
  /// In the sample's order, no value in them; at most ``findingsMax`` with ``pathBytesMax``.
  package let findings: [Finding]
  /// Whether there are more findings than listed.
  package let isCut: Bool
  /// Whether a record like this one would keep nothing but `masking_failed`.
  package let isOverBound: Bool

  package static let findingsMax = 1_000
  /// Of all findings' paths: a name may be as long as the sample.
  package static let pathBytesMax = 1 << 20
}

extension MaskingPlan {
  /// Masks a JSON value of any kind, as a record of the dataset if it is an object: its `timestamp` stays as
  /// it is, its columns of identifiers are looked into by fewer detectors.
  ///
  /// - Throws: The text is not JSON or nested deeper than ``JSONTree/nestingMax``.
  package func apply(toJSON text: [UInt8]) throws(JSONTree.SyntaxError) -> MaskingReport {
    var trial = MaskingTrial(self)
    let masked = trial.run(try JSONTree(lenientlyParsing: text))
    return MaskingReport(
      text: masked.text, findings: trial.findings,
      isCut: trial.isCut || trial.masking.isOverBound, isOverBound: trial.masking.isOverBound)
  }
}

/// A walk through a sample that remembers where it is.
private struct MaskingTrial {
  private let plan: MaskingPlan
  var masking: RecordMasking
  var findings: [MaskingReport.Finding] = []
  var isCut = false
  private var path: [String] = []
  private var pathBytes = 0

  init(_ plan: MaskingPlan) {
    self.plan = plan
    masking = RecordMasking(plan)
  }

  mutating func run(_ tree: JSONTree) -> JSONTree {
    guard case .object(let members) = tree else { return value(tree) }
    return .object(
      members.map { member in
        if member.name.hasBytes(of: "timestamp") { return member }
        return at(member.name) { trial in
          guard case .string(let text) = member.value else {
            return JSONTree.Member(member.name, trial.member(member, named: 0))
          }
          let before = trial.masking.applied.count
          let masked = trial.masking.column(member.name, text)
          trial.tell(from: before)
          return JSONTree.Member(member.name, .string(masked))
        }
      })
  }

  private mutating func at<Result>(_ step: String, _ body: (inout MaskingTrial) -> Result) -> Result {
    path.append(step)
    defer { path.removeLast() }
    return body(&self)
  }

  private mutating func value(_ tree: JSONTree) -> JSONTree {
    switch tree {
    case .object(let members):
      let named = plan.pairRules(of: members)
      return .object(
        members.enumerated().map { index, member in
          JSONTree.Member(
            member.name, at(member.name) { $0.member(member, named: named.isEmpty ? 0 : named[index]) })
        })
    case .array(let elements):
      return .array(elements.enumerated().map { index, element in at(String(index)) { $0.value(element) } })
    case .null, .bool, .int64, .float64, .number, .string:
      let before = masking.applied.count
      let masked = masking.value(tree)
      tell(from: before)
      return masked
    }
  }

  private mutating func member(_ member: JSONTree.Member, named: UInt16) -> JSONTree {
    guard plan.rule(forKey: member.name) != 0 || named != 0 else { return value(member.value) }
    let before = masking.applied.count
    let masked = masking.member(member, named: named)
    tell(from: before)
    return masked
  }

  /// Where it is, as RFC 6901 writes it. By bytes: names may be marks by the thousand.
  private var pointer: String {
    var bytes: [UInt8] = []
    for step in path {
      bytes.append(UInt8(ascii: "/"))
      for byte in step.utf8 {
        switch byte {
        case UInt8(ascii: "~"): bytes += [byte, UInt8(ascii: "0")]
        case UInt8(ascii: "/"): bytes += [UInt8(ascii: "~"), UInt8(ascii: "1")]
        default: bytes.append(byte)
        }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func tell(from before: Int) {
    // Beyond the bounds places are not even written down: each costs as much as it is long.
    guard !isCut, masking.applied.count > before else { return }
    let pointer = pointer
    for rule in masking.applied[before...] {
      pathBytes += pointer.utf8.count
      guard findings.count < MaskingReport.findingsMax, pathBytes <= MaskingReport.pathBytesMax else {
        isCut = true
        return
      }
      findings.append(MaskingReport.Finding(path: pointer, rule: plan.ruleNames[Int(rule) - 1]))
    }
  }
}
