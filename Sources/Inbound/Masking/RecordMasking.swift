import Codecs

/// Masks the values of one record that is at hand as trees and strings, as scans mask columns.
package struct RecordMasking: Sendable {
  private let plan: MaskingPlan
  /// The rules applied so far, in order: one for each value hidden or place replaced.
  /// At most the plan's ``MaskingPlan/operationsMax``.
  package private(set) var applied: [UInt16] = []
  /// Whether more values were hidden, so that the record's content is to be given up.
  package private(set) var isOverBound = false

  package init(_ plan: MaskingPlan) { self.plan = plan }

  /// The text of declared column `name`, masked.
  package mutating func column(_ name: String, _ text: String) -> String {
    let rule = plan.rule(forKey: name)
    if rule != 0 { return hidden(rule, text) }
    return redacted(text, plan.detectors(forColumn: Array(name.utf8)))
  }

  /// A value of any kind, with every string and member in it masked. Members of equal names are all kept.
  package mutating func value(_ tree: JSONTree) -> JSONTree {
    switch tree {
    case .object(let members):
      .object(members.map { JSONTree.Member($0.name, member($0.name, $0.value)) })
    case .array(let elements): .array(elements.map { value($0) })
    case .string(let text): .string(redacted(text, plan.memberDetectors))
    case .null, .bool, .int64, .float64, .number: tree
    }
  }

  /// The value of a member called `name`, masked.
  package mutating func member(_ name: String, _ tree: JSONTree) -> JSONTree {
    let rule = plan.rule(forKey: name)
    guard rule != 0 else { return value(tree) }
    guard case .string(let text) = tree else {
      note(rule)
      return .string(MaskingPlan.replacement)
    }
    return .string(hidden(rule, text))
  }

  /// Notes that a value `rule` hides was left out altogether.
  package mutating func note(_ rule: UInt16) {
    guard applied.count < plan.operationsMax else {
      isOverBound = true
      return
    }
    applied.append(rule)
  }

  private mutating func hidden(_ rule: UInt16, _ text: String) -> String {
    note(rule)
    var output: [UInt8] = []
    plan.appendMask(rule, text: Array(text.utf8).span, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// Every detector looks, whatever the filter that scans ask first would say: both ways are compared in
  /// tests.
  private mutating func redacted(_ text: String, _ detectors: UInt8) -> String {
    let bytes = Array(text.utf8)
    guard detectors != 0, bytes.count >= TextCandidates.bytesMin else { return text }
    let start = TextCandidates.next(bytes.span, from: 0)
    var output: [UInt8] = []
    var found: [UInt16] = []
    guard start < bytes.count,
      plan.appendRedacted(bytes.span, from: start, detectors: detectors, to: &output, found: &found)
    else { return text }
    for rule in found { note(rule) }
    return String(decoding: output, as: UTF8.self)
  }
}
