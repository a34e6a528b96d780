/// What a scan of records asks of masking rules: which members are hidden and what stands for them.
///
/// All texts are as they are meant: escapes resolved, without quotes, valid UTF-8. Answers depend on nothing
/// but the arguments, so a scan may remember them.
package protocol ScanMasking: Sendable {
  /// The rule for members of this name, at any depth; 0: none. Rules are numbered from 1 in
  /// ``ScanMasking/ruleNames``' order.
  func rule(forKey name: Span<UInt8>) -> UInt16

  /// Appends what stands for the value of a member that `rule` hides.
  ///
  /// - Parameter text: The value, if it is a string.
  func appendMask(_ rule: UInt16, text: Span<UInt8>?, to output: inout [UInt8])

  /// The detectors, a bit each, that look into string members of objects; 0: none.
  var memberDetectors: UInt16 { get }

  /// The detectors, a bit each, that look into a declared text column; 0: none.
  func detectors(forColumn name: [UInt8]) -> UInt16

  /// Appends `text` with what `detectors` find in it replaced, and a rule's number to `found` for each place.
  /// Changes neither and answers false where there is nothing.
  func appendRedacted(
    _ text: Span<UInt8>, detectors: UInt16, to output: inout [UInt8], found: inout [UInt16]
  ) -> Bool

  /// Names of the rules, for counts: that of rule 1 first.
  var ruleNames: [String] { get }

  /// The most values hidden in one record. Beyond it the record's content is given up.
  var operationsMax: Int { get }

  /// Stands in the text columns of a record whose content is given up.
  var failureText: [UInt8] { get }

  /// Stands in the object column of such a record, which has members of these names.
  func failureObject(_ names: [[UInt8]]) -> [UInt8]
}
