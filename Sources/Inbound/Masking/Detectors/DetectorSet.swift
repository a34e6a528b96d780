import Codecs

/// The detectors that look into a text, a bit each.
struct DetectorSet: OptionSet, Sendable, Hashable {
  let rawValue: UInt16

  static let email = DetectorSet(rawValue: 1 << 0)
  static let bearer = DetectorSet(rawValue: 1 << 1)
  static let jwt = DetectorSet(rawValue: 1 << 2)
  static let card = DetectorSet(rawValue: 1 << 3)
  static let iban = DetectorSet(rawValue: 1 << 4)
  static let cloudKey = DetectorSet(rawValue: 1 << 5)
  static let secret = DetectorSet(rawValue: 1 << 6)
  static let userinfo = DetectorSet(rawValue: 1 << 7)
  static let privateKey = DetectorSet(rawValue: 1 << 8)

  /// All of the operator's own: ``PatternDetectors`` knows them apart.
  static let own = DetectorSet(rawValue: TextCandidates.unfilteredDetectors)

  /// Those that ``TextCandidates/anchor(_:from:)`` leads to.
  static let anchored: DetectorSet = [.bearer, .jwt, .cloudKey, .secret, .userinfo, .privateKey]

  /// For texts that are searched by their exact value: a user may be named by an e-mail address, a trace by a
  /// number. What an operator looks for himself he means everywhere.
  static let forIdentifiers: DetectorSet = [.bearer, .jwt, .cloudKey, .userinfo, .privateKey, .own]

  /// Of the built-in ones, by bit.
  static let names = [
    "email", "bearer", "jwt", "card", "iban", "cloud_key", "secret", "userinfo", "private_key",
  ]

  /// What stands for a place that was found, by bit.
  static let replacements = names.map { replacement($0) }

  static func replacement(_ name: String) -> [UInt8] { Array("****[\(name)]".utf8) }

  init(rawValue: UInt16) { self.rawValue = rawValue }

  init(_ detectors: Set<MaskingRules.Detector>) {
    self = detectors.reduce(into: DetectorSet()) { set, detector in
      switch detector {
      case .email: set.insert(.email)
      case .bearer: set.insert(.bearer)
      case .jwt: set.insert(.jwt)
      case .card: set.insert(.card)
      case .iban: set.insert(.iban)
      case .cloudKey: set.insert(.cloudKey)
      case .secret: set.insert(.secret)
      case .userinfo: set.insert(.userinfo)
      case .privateKey: set.insert(.privateKey)
      }
    }
  }

  /// The number of the only bit.
  var index: Int { rawValue.trailingZeroBitCount }
}
