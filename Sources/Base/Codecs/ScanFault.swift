/// Why a record could not become a row.
package enum ScanFault: UInt8, Sendable, Hashable {
  // The scan cannot go on behind these.
  case expectedValue, expectedKey, expectedColon, expectedCommaOrBrace, expectedCommaOrBracket
  case expectedLineEnd, truncated, badNumber, lineEndInString
  // The record's end is still found behind these.
  case invalidUTF8, nul, controlCharacter, badEscape, loneSurrogate, tooDeep
  case entryTooLarge, tooManyMembers, keyTooLong
  case wrongType, badTimestamp, numberOutOfRange, missing, reserved, unknownField, ruleBroken
  case repeatedName
}
