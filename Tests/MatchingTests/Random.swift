import Matching

/// SplitMix64: the same seed gives the same test on every machine.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
  /// True once in `times` on average.
  mutating func once(in times: Int) -> Bool { below(times) == 0 }
  mutating func text(_ alphabet: String, _ lengthMax: Int) -> String {
    let characters = Array(alphabet)
    return String((0..<below(lengthMax + 1)).map { _ in pick(characters) })
  }
}

extension TextAutomaton {
  /// `#expect` cannot show spans.
  func accepts(_ text: [UInt8]) -> Bool { matches(text.span) }
}
