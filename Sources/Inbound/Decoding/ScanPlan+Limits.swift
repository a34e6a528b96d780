import Codecs
import Masking

extension ScanPlan {
  /// Masks while scanning; what is given up is told in the overflow object.
  mutating func mask(_ masking: MaskingPlan) {
    self.masking = masking.isEmpty ? nil : masking
    failureSlot = overflowSlot
  }

  /// Takes the bounds of an entry; how many there are is for who finds them.
  mutating func bound(_ limits: DecodingLimits) {
    entryBytesMax = limits.entryBytesMax
    membersMax = limits.membersMax
    keyBytesMax = limits.keyBytesMax
    depthMax = limits.depthMax
  }
}
