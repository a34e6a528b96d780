/// The name that somebody meant who wrote another.
package enum NearestName {
  /// The candidate with the fewest letters added, left out or changed (Levenshtein's distance), if they are
  /// few for a word of this length; nil: none is near, or `word` is longer than any slip.
  ///
  /// Costs its length times theirs.
  package static func of(_ word: String, among candidates: [String]) -> String? {
    guard word.utf8.count <= wordBytesMax else { return nil }
    // Two swapped letters are a distance of two.
    let limit = word.utf8.count < 6 ? 1 : max(2, word.utf8.count / 6)
    let rated = candidates.map { ($0, distance(Array(word.utf8), Array($0.utf8))) }
    guard let best = rated.min(by: { ($0.1, $0.0.utf8.count) < ($1.1, $1.0.utf8.count) }), best.1 <= limit
    else { return nil }
    return best.0
  }

  /// Names are shorter; what is longer is not compared with every one of them.
  private static let wordBytesMax = 128

  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
