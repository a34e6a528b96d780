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
      let named = plan.pairRules(of: members)
      return .object(
        members.enumerated().map { index, member in
          JSONTree.Member(member.name, self.member(member, named: named.isEmpty ? 0 : named[index]))
        })
    case .array(let elements): return .array(elements.map { value($0) })
    case .string(let text): return .string(redacted(text, plan.memberDetectors))
    case .null, .bool, .int64, .float64, .number: return tree
    }
  }

  /// The value of `member` of an object, masked.
  ///
  /// - Parameter named: The rule by what the object says that it is called; 0: it says nothing.
  mutating func member(_ member: JSONTree.Member, named: UInt16) -> JSONTree {
    let rule = plan.rule(forKey: member.name)
    return rule == 0 && named == 0
      ? value(member.value) : masked(member.value, rule != 0 ? rule : named)
  }

  /// The value of a member called `name`, masked.
  package mutating func member(_ name: String, _ tree: JSONTree) -> JSONTree {
    let rule = plan.rule(forKey: name)
    return rule != 0 ? masked(tree, rule) : value(tree)
  }

  private mutating func masked(_ tree: JSONTree, _ rule: UInt16) -> JSONTree {
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
  private mutating func redacted(_ text: String, _ detectors: UInt16) -> String {
    let bytes = Array(text.utf8)
    let isLong = bytes.count >= TextCandidates.bytesMin
    guard isLong ? detectors != 0 : detectors & TextCandidates.unfilteredDetectors != 0 else { return text }
    var output: [UInt8] = []
    var found: [UInt16] = []
    guard plan.appendRedacted(bytes.span, detectors: detectors, to: &output, found: &found) else {
      return text
    }
    for rule in found { note(rule) }
    return String(decoding: output, as: UTF8.self)
  }
}
