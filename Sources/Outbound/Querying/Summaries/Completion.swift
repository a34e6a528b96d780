import Codecs
import Matching
import Records

/// What may stand where somebody is writing an expression: the parser's own word for what it expects there.
package struct Completion: Sendable {
  /// What fits.
  package enum Wanted: Sendable, Hashable {
    /// A column, or `not` and the like.
    case column
    /// What a column is compared by.
    case comparison(ColumnPath)
    /// What it is compared with; `isQuoted`: a quote is open.
    case value(ColumnPath, isQuoted: Bool)
    /// `and`, `or`.
    case connective
    /// One of these.
    case words([String])
    /// Nothing that is known.
    case nothing
  }

  /// What is expected.
  package let wanted: Wanted
  /// Where what is being written begins: a number of Unicode scalars.
  package let from: Int
  /// What is there of it already, without a quote before it.
  package let partial: String
  /// What is wrong with the whole text; nil: nothing.
  package let fault: ExpressionFault?

  /// - Parameters:
  ///   - text: An expression, whole or not.
  ///   - place: How many of its Unicode scalars are before the cursor; clamped.
  package init(of text: String, at place: Int) {
    let scalars = Array(text.unicodeScalars)
    let place = max(0, min(place, scalars.count))
    do throws(ExpressionFault) {
      _ = try Predicate(expression: text)
      fault = nil
    } catch { fault = error }
    let before = Completion.text(scalars[..<place])
    var isQuoted = false
    var start = place
    do throws(ExpressionFault) {
      let tokens = try ExpressionLexer.tokens(of: before)
      if tokens.count > 1, case .word = tokens[tokens.count - 2].kind {
        let last = tokens[tokens.count - 2].place - 1
        if scalars[last..<place].allSatisfy({ !$0.properties.isWhitespace }) { start = last }
      }
    } catch {
      if error.wanted == .quote {
        isQuoted = true
        start = error.place - 1
      }
    }
    from = start
    partial = Completion.text(scalars[(isQuoted ? start + 1 : start)..<place])
    let known = Completion.text(scalars[..<start])
    wanted = Completion.wanted(behind: known, isQuoted: isQuoted)
  }

  private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private static func wanted(behind text: String, isQuoted: Bool) -> Wanted {
    do throws(ExpressionFault) {
      guard !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else { return .column }
      _ = try Expression.checked(text)
      return .connective
    } catch {
      guard error.place > text.unicodeScalars.count else { return .nothing }
      switch error.wanted {
      case .column: return .column
      case .comparison(let path): return .comparison(path)
      case .value(let path): return .value(path, isQuoted: isQuoted)
      case .connective: return .connective
      case .listStart: return .words(["("])
      case .listEnd: return .words([",", ")"])
      case .in: return .words(["in"])
      case .quote, .other: return .nothing
      }
    }
  }

  /// What a column can be compared by.
  package static let comparisons = [
    "=", "!=", "<", "<=", ">", ">=", "contains", "icontains", "word", "prefix", "~", "~*", "in", "not in",
    "exists",
  ]

  /// A value as an expression has it: without quotes where it is one word that is no number.
  package static func written(_ value: String) -> String {
    let isPlain =
      !value.isEmpty
      && value.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: "/"), UInt8(ascii: ":"):
          true
        default: false
        }
      }
    let isWord = isPlain && Literal(number: value) == nil && !["true", "false"].contains(value)
    return isWord ? value : Expression.quoted(value)
  }
}
