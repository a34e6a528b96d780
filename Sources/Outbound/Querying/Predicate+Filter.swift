import Codecs
import Matching
import Records

extension Predicate {
  /// Reads a filter in either form: an object is its JSON, a text its expression (Docs/query.md). An empty
  /// text, or one of blanks, means all.
  ///
  /// - Throws: `.invalid`, naming the place; `.invalidFilter`, naming the character.
  package init(filter tree: JSONTree) throws(StoreError) {
    guard case .string(let text) = tree else {
      self = try Predicate(json: tree)
      return
    }
    do throws(ExpressionFault) { self = try Predicate(expression: text) } catch {
      throw .invalidFilter(place: error.place, detail: error.detail)
    }
  }

  /// Reads a filter's text; an empty one, or one of blanks, means all.
  package init(expression text: String) throws(ExpressionFault) {
    let isEmpty = text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    self = isEmpty ? .all : try Expression.checked(text)
  }
}
