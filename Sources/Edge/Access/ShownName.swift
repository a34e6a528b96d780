/// Names that people give to users and keys, and that listings and logs show.
enum ShownName {
  static let bytesMax = 255

  /// - Parameter kind: `A user name`, the sentence's beginning.
  static func check(_ name: String, of kind: String) throws(AccessError) {
    guard !name.isEmpty, name.utf8.count <= bytesMax else {
      throw .invalidName("\(kind) has 1 to \(bytesMax) bytes.")
    }
    let isPlain = name.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
      default: true
      }
    }
    guard isPlain, name.first?.isWhitespace == false, name.last?.isWhitespace == false else {
      throw .invalidName("\(kind) has no control characters and no space at its ends.")
    }
  }
}
