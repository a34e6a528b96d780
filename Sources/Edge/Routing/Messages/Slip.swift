import Codecs
import Decoding
import Records

/// A name in a request that its route does not have, or has once, or with a value: what was meant by it is
/// not known, so the request is refused, and the name is told
/// (Docs/decisions/0030-slips-are-errors.md).
package struct Slip: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// The name that may have been meant, if one is near.
    case unknown(nearest: String?)
    case repeated
    case empty
    /// A value that is neither yes nor no.
    case notAFlag
  }

  /// The part of a request that has the name.
  package enum Place: String, Sendable { case query, body }

  /// As sent, cut to 64 bytes.
  package let name: String
  package let kind: Kind

  package init(_ name: String, _ kind: Kind) {
    self.name = name.told
    self.kind = kind
  }

  /// A name that is none of `known`.
  package static func unknown(_ name: String, among known: [String]) -> Slip {
    Slip(name, .unknown(nearest: NearestName.of(name, among: known)))
  }

  /// A sentence for the client.
  package var sentence: String {
    switch kind {
    case .unknown(let nearest):
      "there is no \"\(name)\" here" + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
    case .repeated: "\"\(name)\" is there twice"
    case .empty: "\"\(name)\" has no value; leave it out, or say one"
    case .notAFlag: "\"\(name)\" is true or false (or 1 or 0)"
    }
  }

  /// What is answered: 422 with the place, or 400 with the sentence.
  package func problem(in place: Place, errors: ErrorFormat) -> Problem {
    guard errors.listsFaults else { return Problem(400, sentence, field: name) }
    var problem = Problem(422, "Validation error")
    problem.validation = [error(in: place)]
    return problem
  }

  /// The same as one of several faults.
  package func error(in place: Place) -> ValidationError {
    let place: [ValidationPlace] = [.name(place.rawValue), .name(name)]
    if case .unknown = kind {
      return ValidationError(place, "extra_forbidden", "Extra inputs are not permitted: \(sentence)")
    }
    return ValidationError(place, "value_error", "Value error, \(sentence)")
  }
}

extension Slip {
  /// What a flag's value says; nil: nothing.
  fileprivate static func flag(_ value: String) -> Bool? {
    switch value.asciiLowercased {
    case "true", "1": true
    case "false", "0": false
    default: nil
    }
  }

  /// Refuses items that the route does not name among its parameters, that come twice, or without a value,
  /// and flags that say neither yes nor no.
  ///
  /// - Throws: 400, or 422 where the API's errors are lists.
  static func check(
    _ query: QueryItems, _ parameters: [RouteParameter], errors: ErrorFormat
  ) throws(Problem) {
    guard let slip = first(of: query, parameters) else { return }
    throw slip.problem(in: .query, errors: errors)
  }

  private static func first(of query: QueryItems, _ parameters: [RouteParameter]) -> Slip? {
    guard !query.isEmpty else { return nil }
    var seen: Set<Name> = []
    // A lone `=` says nothing.
    for item in query.all where !(item.name.isEmpty && item.value.isEmpty) {
      let parameter = parameters.first { $0.place == .query && $0.name.hasBytes(of: item.name) }
      guard let parameter else {
        let known = parameters.filter { $0.place == .query && !$0.isPassedOver }
        return .unknown(item.name, among: known.map(\.name))
      }
      if !seen.insert(Name(item.name)).inserted, !parameter.mayRepeat { return Slip(item.name, .repeated) }
      if item.value.isEmpty, !parameter.mayBeEmpty { return Slip(item.name, .empty) }
      if parameter.isFlag, !item.value.isEmpty, Slip.flag(item.value) == nil {
        return Slip(item.name, .notAFlag)
      }
    }
    return nil
  }

  /// The first member of an object that is none of `known`; nil: there is none. That a name comes twice is
  /// told by what reads JSON.
  package static func first(of members: [JSONTree.Member], among known: [String]) -> Slip? {
    members.first { member in !known.contains { $0.hasBytes(of: member.name) } }
      .map { .unknown($0.name, among: known) }
  }
}

extension QueryItems {
  /// Whether a flag says yes; without it, and where ``Slip`` has refused its value, no.
  package func flag(_ name: String) -> Bool { self[name].flatMap { Slip.flag($0) } ?? false }
}
