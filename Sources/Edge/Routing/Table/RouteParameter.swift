import Records

/// What a request may say beside its body: a part of the path, or an item of the query.
package struct RouteParameter: Sendable {
  package enum Place: String, Sendable { case path, query, header }

  package let name: String
  package let place: Place
  /// A JSON schema.
  package let schema: String
  package let summary: String
  /// Whether it may come several times, and each counts.
  package private(set) var mayRepeat = false
  /// Whether it may come without a value, which says nothing then.
  package private(set) var mayBeEmpty = false
  /// Whether it says yes or no.
  package var isFlag: Bool { schema.hasBytes(of: JSONSchema.flag) }
  /// Whether it is a header field without which nothing is answered.
  package private(set) var isNeededField = false
  /// What such a field says.
  package private(set) var example = ""
  /// Whether it is let in and says nothing.
  package private(set) var isPassedOver = false

  init(name: String, place: Place, schema: String, summary: String) {
    self.name = name
    self.place = place
    self.schema = schema
    self.summary = summary
  }

  package static func path(
    _ name: String, _ schema: String = JSONSchema.text, _ summary: String
  ) -> RouteParameter {
    RouteParameter(name: name, place: .path, schema: schema, summary: summary)
  }

  package static func query(
    _ name: String, _ schema: String = JSONSchema.text, _ summary: String
  ) -> RouteParameter {
    RouteParameter(name: name, place: .query, schema: schema, summary: summary)
  }

  /// A header field; without `needed` it may be left out.
  ///
  /// - Parameter example: The value that it must have where it is needed.
  package static func header(
    _ name: String, _ summary: String, needed example: String? = nil
  ) -> RouteParameter {
    let schema = example.map { JSONSchema.choice($0) } ?? JSONSchema.text
    var parameter = RouteParameter(name: name, place: .header, schema: schema, summary: summary)
    parameter.isNeededField = example != nil
    parameter.example = example ?? ""
    return parameter
  }

  /// What clients send though it says nothing (Docs/decisions/0030-slips-are-errors.md): all other names that
  /// a route does not have are refused.
  ///
  /// - Parameter reason: Which exchange with the original shows it, or whose clients send it.
  package static func passedOver(_ name: String, _ reason: String) -> RouteParameter {
    var parameter = query(name, "{}", "Passed over: \(reason)")
    parameter.mayRepeat = true
    parameter.mayBeEmpty = true
    parameter.isPassedOver = true
    return parameter
  }

  /// The same, which may come several times.
  package var repeatable: RouteParameter {
    var parameter = self
    parameter.mayRepeat = true
    return parameter
  }

  /// The same, which may come without a value.
  ///
  /// - Parameter reason: As of ``passedOver(_:_:)``.
  package func emptiable(_ reason: String) -> RouteParameter {
    var parameter = RouteParameter(
      name: name, place: place, schema: schema, summary: "\(summary); may be empty: \(reason)")
    (parameter.mayRepeat, parameter.mayBeEmpty) = (mayRepeat, true)
    return parameter
  }

  /// The same with more said of it.
  func saying(_ more: String) -> RouteParameter {
    var parameter = RouteParameter(name: name, place: place, schema: schema, summary: summary + more)
    (parameter.mayRepeat, parameter.mayBeEmpty) = (mayRepeat, mayBeEmpty)
    (parameter.isNeededField, parameter.example) = (isNeededField, example)
    parameter.isPassedOver = isPassedOver
    return parameter
  }

  /// What routes take by which a repeat is known.
  static let idempotencyKey = RouteParameter(
    name: "Idempotency-Key", place: .header, schema: JSONSchema.text,
    summary: "A repeat under the same key within 15 minutes stores nothing and gets the first answer")

  /// What the same routes take to store something long piece by piece.
  static let importPart = RouteParameter(
    name: "Cordwood-Import", place: .header, schema: JSONSchema.text,
    summary: "The piece of an import: stored once, and only where it follows what is stored of the import")
}

/// The body a route takes.
package struct RouteBody: Sendable {
  /// Which media types are let in. A request that names none is believed.
  package enum MediaTypes: Sendable {
    /// All: what the bytes are is found by reading them.
    case any
    /// `application/json` and its kind; the text is what others are answered.
    case json(refusal: String)
    case listed([String], refusal: String)
  }

  /// A JSON schema, for documents.
  package let schema: String
  /// An example that the route takes.
  package let example: String
  /// The media type of the example.
  package var mediaType = "application/json"
  package var accepts = MediaTypes.any
  /// The most bytes it may have, as sent and decompressed.
  package var bytesMax: Int
  /// Whether it may come compressed.
  package var isCompressible = false
  /// Members that are let in and say nothing, told in a sentence; nil: there are none.
  package private(set) var passedOver: String?

  /// A body of JSON.
  ///
  /// - Parameter bytesMax: nil: that of a command, ``Route/commandBytesMax``.
  package static func json(_ schema: String, _ example: String, bytesMax: Int? = nil) -> RouteBody {
    RouteBody(schema: schema, example: example, bytesMax: bytesMax ?? Route.commandBytesMax)
  }

  /// The same, for these media types alone.
  package func accepting(_ types: MediaTypes) -> RouteBody {
    var body = self
    body.accepts = types
    return body
  }

  /// The same; `members` are let in and say nothing (Docs/decisions/0030-slips-are-errors.md): all others
  /// without a meaning are refused.
  ///
  /// - Parameter reason: Which exchange with the original shows it, or whose clients send them.
  package func passingOver(_ members: String, _ reason: String) -> RouteBody {
    var body = self
    body.passedOver = "Passed over are \(members): \(reason)"
    return body
  }

  /// The same, which may come compressed.
  package var compressible: RouteBody {
    var body = self
    body.isCompressible = true
    return body
  }

  /// - Throws: 415.
  func check(_ head: RequestHead) throws(Problem) {
    switch accepts {
    case .any: break
    case .json(let refusal): guard head.isJSON else { throw Problem(415, refusal) }
    case .listed(let types, let refusal):
      if let type = head.mediaType, !types.contains(type) { throw Problem(415, refusal) }
    }
  }
}

/// JSON schemas that occur often.
package enum JSONSchema {
  package static let text = #"{"type":"string"}"#
  package static let flag = #"{"type":"boolean"}"#
  /// Of grouped answers.
  package static let exact =
    #"{"type":"boolean","description":"503 rather than groups with exact: false and error_bound"}"#
  package static let time = #"{"type":"string","description":"ISO 8601"}"#
  package static let object = #"{"type":"object"}"#
  package static let format = #"{"type":"string","enum":["json","ndjson","csv","arrow","parquet"]}"#
  package static let order = #"{"type":"string","enum":["asc","desc"]}"#
  package static let optionalText = #"{"type":["string","null"]}"#
  package static let optionalObject = #"{"type":["object","null"]}"#

  package static func integer(_ low: Int, _ high: Int? = nil) -> String {
    #"{"type":"integer","minimum":\#(low)"# + (high.map { #","maximum":\#($0)"# } ?? "") + "}"
  }

  /// An object whose members have these schemas.
  ///
  /// - Parameter isOpen: Whether it may have others.
  package static func object(
    _ members: [(String, String)], required: [String] = [], isOpen: Bool = false
  ) -> String {
    let list = members.map { #""\#($0.0)":\#($0.1)"# }.joined(separator: ",")
    let names = required.map { #""\#($0)""# }.joined(separator: ",")
    let others = isOpen ? "" : #","additionalProperties":false"#
    return #"{"type":"object","properties":{\#(list)},"required":[\#(names)]\#(others)}"#
  }

  package static func array(_ item: String, _ most: Int? = nil) -> String {
    #"{"type":"array","items":\#(item)"# + (most.map { #","maxItems":\#($0)"# } ?? "") + "}"
  }

  package static func choice(_ words: String..., isNullable: Bool = false) -> String {
    choice(words, isNullable: isNullable)
  }

  package static func choice(_ words: [String], isNullable: Bool = false) -> String {
    let list = words.map { #""\#($0)""# }.joined(separator: ",")
    return isNullable ? #"{"enum":[\#(list),null]}"# : #"{"type":"string","enum":[\#(list)]}"#
  }
}
