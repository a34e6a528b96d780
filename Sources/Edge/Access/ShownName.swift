import Records

/// Names that people give to users, keys and tenants, and that listings and logs show.
///
/// Bytes decide who is who (``Name``). So that no two names that a person cannot tell apart are two of them,
/// a new name has one form, and a new user's name looks like nobody else's.
enum ShownName {
  static let bytesMax = 255

  /// What every name must be like.
  ///
  /// - Parameter kind: `A user name`, the sentence's beginning.
  static func check(_ name: String, of kind: String, bytesMax: Int = bytesMax) throws(AccessError) {
    guard !name.isEmpty, name.utf8.count <= bytesMax else {
      throw .invalidName("\(kind) has 1 to \(bytesMax) bytes.")
    }
    let scalars = name.unicodeScalars
    guard scalars.allSatisfy(isShown), !isBlank(scalars.first), !isBlank(scalars.last) else {
      throw .invalidName("\(kind) has no control characters and no space at its ends.")
    }
    guard name.isNormalized else {
      throw .invalidName(
        "\(kind) is in Unicode's Normalization Form C; this text looks the same in another form.")
    }
  }

  /// What a user's name must be like besides (after PRECIS, RFC 8265 §3.3, and UTS #39 §5.2): ASCII, or
  /// letters, marks and digits, without compatibility forms, of one script where scripts look alike.
  static func checkUser(_ name: String) throws(AccessError) {
    try check(name, of: "A user name")
    var scripts: Set<LikeScript> = []
    for scalar in name.unicodeScalars {
      guard scalar.isASCII || isIdentifier(scalar) else {
        throw .invalidName(
          "A user name has ASCII characters, letters and digits; no symbols and no forms of letters.")
      }
      if let script = LikeScript(scalar) { scripts.insert(script) }
    }
    guard scripts.count <= 1 else {
      throw .invalidName("A user name does not mix Latin, Greek, Cyrillic and Armenian letters.")
    }
  }

  /// The name as it looks: users of one look are taken for each other, so there is one alone. In lower case,
  /// and with the Latin letter for those of other scripts that look like it.
  static func looks(of name: String) -> String {
    var looks = String.UnicodeScalarView()
    for scalar in name.unicodeScalars {
      for lower in scalar.properties.lowercaseMapping.unicodeScalars {
        looks.append(likeness[lower] ?? lower)
      }
    }
    return String(looks)
  }

  private static func isBlank(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isWhitespace == true }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
    default: !scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  private static func isIdentifier(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
      .spacingMark, .decimalNumber:
      !compatibilityForms.contains { $0.contains(scalar.value) }
    default: false
    }
  }

  /// Blocks of letters and digits that stand for others: ligatures, letterlike, wide, mathematical ones.
  private static let compatibilityForms: [ClosedRange<UInt32>] = [
    0x1D2C...0x1D6A, 0x2070...0x209F, 0x2100...0x218F, 0x2460...0x24FF, 0x3130...0x318F, 0x3200...0x33FF,
    0xF900...0xFAFF, 0xFB00...0xFDFF, 0xFE70...0xFEFF, 0xFF00...0xFFEF, 0x1_D400...0x1_D7FF,
    0x1_EE00...0x1_EEFF, 0x1_F100...0x1_F2FF,
  ]

  /// Small letters that look like Latin ones (from the confusables of UTS #39).
  private static let likeness: [Unicode.Scalar: Unicode.Scalar] = {
    let pairs =
      "аa вb еe һh іi јj кk мm нh оo рp ԛq ѕs тt уy үy ԝw хx сc ԁd "
      + "αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw օo ոn սu հh ցg ıi ɑa ɡg ɩi ɪi ſs ǃ! ɴn ʀr ʏy ꮯc ꭵi ꮃw"
    var table: [Unicode.Scalar: Unicode.Scalar] = [:]
    for pair in pairs.unicodeScalars.split(separator: " ") {
      if let from = pair.first, let to = pair.last { table[from] = to }
    }
    return table
  }()
}

/// Scripts with letters that look alike.
private enum LikeScript: Hashable {
  case latin, greek, cyrillic, armenian, cherokee

  /// nil: a scalar of no such script, or of all.
  init?(_ scalar: Unicode.Scalar) {
    guard scalar.properties.isAlphabetic else { return nil }
    switch scalar.value {
    case 0x41...0x5A, 0x61...0x7A, 0xC0...0x24F, 0x250...0x2AF, 0x1D00...0x1D25, 0x1E00...0x1EFF,
      0x2C60...0x2C7F, 0xA720...0xA7FF, 0xAB30...0xAB64:
      self = .latin
    case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
    case 0x400...0x52F, 0x1C80...0x1C8F, 0x2DE0...0x2DFF, 0xA640...0xA69F: self = .cyrillic
    case 0x531...0x58F: self = .armenian
    case 0x13A0...0x13FF, 0xAB70...0xABBF: self = .cherokee
    default: return nil
    }
  }
}
