import Routing

/// One method of one path, as the reference and the OpenAPI document tell of it.
struct APIOperation: Sendable {
  enum Security: String, Sendable {
    /// A token of the sessions API.
    case session
    /// A JSON Web Token of the audit API.
    case auditToken
    /// An API key of the workflow API.
    case workflowKey
    /// A token of the query-log API.
    case queryToken
    /// An API key of the native API.
    case nativeKey
    /// An API key of the ingest API.
    case ingestKey
    /// The ingest API's administrator's token.
    case ingestAdmin
  }

  struct Parameter: Sendable {
    enum Place: String, Sendable { case path, query, header }

    let name: String
    let place: Place
    /// A JSON schema.
    let schema: String
    let summary: String

    static func path(_ name: String, _ schema: String = APISchema.text, _ summary: String) -> Parameter {
      Parameter(name: name, place: .path, schema: schema, summary: summary)
    }

    static func query(_ name: String, _ schema: String = APISchema.text, _ summary: String) -> Parameter {
      Parameter(name: name, place: .query, schema: schema, summary: summary)
    }
  }

  /// A request body: its media type, JSON schema and an example.
  struct Body: Sendable {
    let schema: String
    let example: String
    var mediaType = "application/json"

    static func json(_ schema: String, _ example: String) -> Body { Body(schema: schema, example: example) }
  }

  let method: String
  let path: String
  let tag: String
  let summary: String
  let security: [Security]
  let parameters: [Parameter]
  let body: Body?
  /// The status of success.
  let status: Int
  /// Statuses of failures, besides those every operation may have.
  let failures: [Int]

  init(
    _ method: String, _ path: String, _ tag: String, _ summary: String, _ security: [Security] = [],
    _ parameters: [Parameter] = [], body: Body? = nil, status: Int = 200, failures: [Int] = []
  ) {
    self.method = method
    self.path = path
    self.tag = tag
    self.summary = summary
    self.security = security
    self.parameters = parameters
    self.body = body
    self.status = status
    self.failures = failures
  }
}

/// JSON schemas that occur often.
enum APISchema {
  static let text = #"{"type":"string"}"#
  static let flag = #"{"type":"boolean"}"#
  static let time = #"{"type":"string","description":"ISO 8601"}"#
  static let object = #"{"type":"object"}"#
  static let format = #"{"type":"string","enum":["json","ndjson","csv","arrow","parquet"]}"#
  static let order = #"{"type":"string","enum":["asc","desc"]}"#

  static func integer(_ low: Int, _ high: Int? = nil) -> String {
    #"{"type":"integer","minimum":\#(low)"# + (high.map { #","maximum":\#($0)"# } ?? "") + "}"
  }

  /// An object whose members have these schemas.
  static func object(_ members: [(String, String)], required: [String] = []) -> String {
    let list = members.map { #""\#($0.0)":\#($0.1)"# }.joined(separator: ",")
    let names = required.map { #""\#($0)""# }.joined(separator: ",")
    return #"{"type":"object","properties":{\#(list)},"required":[\#(names)]}"#
  }

  static func array(_ item: String, _ most: Int? = nil) -> String {
    #"{"type":"array","items":\#(item)"# + (most.map { #","maxItems":\#($0)"# } ?? "") + "}"
  }

  static func choice(_ words: String..., isNullable: Bool = false) -> String {
    let list = words.map { #""\#($0)""# }.joined(separator: ",")
    return isNullable ? #"{"enum":[\#(list),null]}"# : #"{"type":"string","enum":[\#(list)]}"#
  }

  static let optionalText = #"{"type":["string","null"]}"#
  static let optionalObject = #"{"type":["object","null"]}"#
}
