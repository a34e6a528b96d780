/// Random UUIDs (RFC 9562 §5.4).
package enum UUIDv4 {
  /// The UUID of 122 of the bits of `random`, in its text form.
  package static func text(_ random: (UInt64, UInt64)) -> String {
    let high = random.0 & ~0xF000 | 0x4000
    let low = random.1 & ~(3 << 62) | 2 << 62
    var bytes: [UInt8] = []
    for word in [high, low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return UUIDv7.text(bytes)
  }
}
