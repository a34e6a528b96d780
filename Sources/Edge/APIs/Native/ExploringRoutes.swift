import Access
import Codecs
import Querying
import Records
import Routing

/// What a page, or a person at a terminal, asks before it asks for records: how many there are, when, what
/// fields they have, and what may stand in a filter (Docs/query.md).
struct ExploringRoutes: Sendable {
  private let engine: any QueryAnswering
  private let registry: Registry

  init(engine: any QueryAnswering, registry: Registry) {
    self.engine = engine
    self.registry = registry
  }

  private static let filter = "{}"

  var routes: [Route] {
    [
      Route(
        .post, "/v1/summary",
        "Counts, bars of time and the most frequent values of fields, in one pass over the records",
        .stream(summarize)
      )
      .safe.needing(.read)
      .taking(
        .json(
          JSONSchema.object(
            [
              ("dataset", NativeRoutes.schema(of: registry)), ("start", "{}"), ("end", "{}"),
              ("where", ExploringRoutes.filter), ("filters", JSONSchema.array(JSONSchema.object, 32)),
              ("bucket", JSONSchema.text), ("utc_offset_seconds", "{}"), ("by", JSONSchema.text),
              ("fields", JSONSchema.array(JSONSchema.text, SummaryRequest.fieldsMax)),
              ("values", JSONSchema.integer(0, SummaryRequest.valuesMax)), ("numbers", JSONSchema.flag),
              ("strict", JSONSchema.flag),
            ], required: ["dataset"]),
          #"{"dataset":"logs","bucket":"1h","by":"level","fields":["level","service"]}"#)),
      Route(.get, "/v1/fields", "The fields that records have", .answer(fields))
        .needing(.read)
        .taking(
          .query("dataset", NativeRoutes.schema(of: registry), "Which dataset"),
          .query("start", JSONSchema.time, "Of times from this one on"),
          .query("end", JSONSchema.time, "Of times before this one")),
      Route(.post, "/v1/complete", "What may stand where a filter is being written", .answer(complete))
        .safe.needing(.read)
        .taking(
          .json(
            JSONSchema.object(
              [
                ("dataset", NativeRoutes.schema(of: registry)), ("text", JSONSchema.text),
                ("at", JSONSchema.integer(0)), ("start", "{}"), ("end", "{}"),
              ], required: ["dataset", "text"]),
            #"{"dataset":"logs","text":"level = ER","at":10}"#)),
    ]
  }

  // MARK: Summaries

  private func summarize(
    _ call: HTTPCall, _ principal: Principal, through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let isGradual = call.head.headers[list: "Accept"].contains {
      $0.asciiLowercased.hasBytes(from: "text/event-stream")
    }
    let answers = try await knowing { () async throws(StoreError) in
      let request = try SummaryRequest(json: call.body, filter: principal.filter, registry: registry)
      return (request, try await engine.summarize(request, isGradual: isGradual, for: principal.tenant))
    }
    let tellsFigures = principal.mayKnowStatistics
    guard var answer = try await next(answers.1, tellsFigures) else { bug("a summary has an answer") }
    guard isGradual else {
      return .answer(.json(.ok, SummaryText.json(answer, answers.0)))
    }
    try await stream.begin(.ok, contentType: "text/event-stream", headers: [("Cache-Control", "no-store")])
    while true {
      try await stream.write(SummaryText.event(answer, answers.0))
      guard let more = try await next(answers.1, tellsFigures) else { return .streamed }
      answer = more
    }
  }

  private func next(
    _ answers: any SummaryAnswers, _ tellsFigures: Bool
  ) async throws(Problem) -> SummaryAnswer? {
    var answer = try await knowing { () async throws(StoreError) in try await answers.next() }
    if !tellsFigures { answer?.statistics = nil }
    return answer
  }

  private func knowing<Value>(
    _ body: () async throws(StoreError) -> Value
  ) async throws(Problem) -> Value {
    do throws(StoreError) { return try await body() } catch { throw Problem(error) }
  }

  // MARK: Fields

  private func fields(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    guard let name = call.query["dataset"] else {
      throw Problem(
        400, "dataset: one of \(registry.datasets.map(\.name).joined(separator: ", "))", field: "dataset")
    }
    let dataset = try NativeRoutes.dataset(name, of: registry)
    let catalog = try await catalog(
      dataset, principal, start: try time(call.query["start"], "start"),
      end: try time(call.query["end"], "end"))
    return .object { text in
      text.name("fields")
      text.beginArray()
      for entry in catalog.entries {
        text.beginObject()
        text.name("name")
        text.value(entry.path.description)
        text.name("type")
        text.value(entry.kind.rawValue)
        if let share = entry.share {
          text.name("share")
          text.value(rounded: share)
        }
        text.endObject()
      }
      text.endArray()
    }
  }

  private func catalog(
    _ dataset: Dataset, _ principal: Principal, start: Int64?, end: Int64?
  ) async throws(Problem) -> FieldCatalog {
    try await knowing { () async throws(StoreError) in
      try await engine.fields(
        of: dataset, matching: principal.filter, start: start, end: end, for: principal.tenant)
    }
  }

  private func time(_ text: String?, _ name: String) throws(Problem) -> Int64? {
    guard let text else { return nil }
    guard let time = RFC3339.parse(text) ?? UnixTime.nanoseconds(Array(text.utf8).span) else {
      throw Problem(
        400, "\(name): RFC 3339, such as 2026-11-19T12:00:00Z, or a number since 1970", field: name)
    }
    return time
  }

  // MARK: Completion

  /// Offers of one answer.
  private static let offersMax = 50
  /// Bytes of a value that is offered: longer ones nobody writes out.
  private static let offerBytesMax = 256

  private struct Offer {
    let text: String
    let kind: StaticString
    var count: Int?
  }

  private func complete(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let tree = try ControlBody.object(call.body, taking: "dataset", "text", "at", "start", "end")
    guard case .string(let name)? = tree["dataset"], case .string(let text)? = tree["text"] else {
      throw Problem(400, "dataset and text: texts")
    }
    guard text.utf8.count <= Expression.bytesMax else {
      throw Problem(400, "text: at most \(Expression.bytesMax) bytes", field: "text")
    }
    let dataset = try NativeRoutes.dataset(name, of: registry)
    var place = text.unicodeScalars.count
    if let at = tree["at"] {
      guard case .int64(let number) = at, number >= 0, number <= Int64(place) else {
        throw Problem(400, "at: how many characters are before the cursor", field: "at")
      }
      place = Int(number)
    }
    let completion = Completion(of: text, at: place)
    let bounds = (try time(tree["start"], "start"), try time(tree["end"], "end"))
    let offers = try await offers(completion, dataset, principal, bounds)
    return .object { text in
      text.name("error")
      if let fault = completion.fault {
        text.beginObject()
        text.name("character")
        text.value(fault.place - 1)
        text.name("detail")
        text.value(fault.detail)
        text.endObject()
      } else {
        text.null()
      }
      text.name("from")
      text.value(completion.from)
      text.name("offers")
      text.beginArray()
      for offer in offers {
        text.beginObject()
        text.name("text")
        text.value(offer.text)
        text.name("kind")
        text.value(offer.kind.description)
        if let count = offer.count { text.member("count", count) }
        text.endObject()
      }
      text.endArray()
    }
  }

  private func time(_ tree: JSONTree?, _ name: String) throws(Problem) -> Int64? {
    do throws(StoreError) { return try QueryRequest.time(tree, name) } catch { throw Problem(error) }
  }

  private func offers(
    _ completion: Completion, _ dataset: Dataset, _ principal: Principal, _ bounds: (Int64?, Int64?)
  ) async throws(Problem) -> [Offer] {
    func fitting(_ words: [String], _ kind: StaticString) -> [Offer] {
      let partial = completion.partial.asciiLowercased
      return words.filter { $0.asciiLowercased.hasBytes(from: partial) }.prefix(ExploringRoutes.offersMax)
        .map { Offer(text: $0, kind: kind) }
    }
    switch completion.wanted {
    case .nothing: return []
    case .connective: return fitting(["and", "or"], "keyword")
    case .words(let words): return fitting(words, "keyword")
    case .comparison: return fitting(Completion.comparisons, "operator")
    case .column:
      let catalog = try await catalog(dataset, principal, start: bounds.0, end: bounds.1)
      return fitting(catalog.entries.map(\.path.description), "field") + fitting(["not"], "keyword")
    case .value(let path, let isQuoted):
      return try await values(of: path, completion.partial, isQuoted, dataset, principal, bounds)
    }
  }

  /// The most frequent values that begin as what is written does.
  private func values(
    of path: ColumnPath, _ partial: String, _ isQuoted: Bool, _ dataset: Dataset, _ principal: Principal,
    _ bounds: (Int64?, Int64?)
  ) async throws(Problem) -> [Offer] {
    guard let type = dataset.schema.field(path.column)?.type else { return [] }
    let isText = type == .utf8 || type == .json && !path.members.isEmpty
    guard isText else { return [] }
    var request = SummaryRequest(
      dataset: dataset, predicate: principal.filter, start: bounds.0, end: bounds.1)
    if !partial.isEmpty { request.predicate = .both(request.predicate, .prefix(path, partial)) }
    request.fields = [path]
    request.gathersNumbers = false
    request.valueCount = ExploringRoutes.offersMax
    let prepared = request
    let answer = try await knowing { () async throws(StoreError) in
      try await engine.summarize(prepared, isGradual: false, for: principal.tenant).next()
    }
    return (answer?.fields.first?.values ?? []).compactMap { value in
      guard let text = value.value, text.utf8.count <= ExploringRoutes.offerBytesMax else { return nil }
      return Offer(text: Completion.written(text), kind: "value", count: value.count)
    }
  }
}
