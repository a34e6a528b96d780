import Codecs
import Decoding
import Records
import Routing

/// The bodies the workflow API answers with.
enum WorkflowResponses {
  static func created(_ id: String) -> HTTPAnswer {
    .object(.created) { text in
      text.member("status", "success")
      text.member("log_id", id)
      text.member("message", "Log ingested successfully")
    }
  }

  static func created(_ ids: [String]) -> HTTPAnswer {
    .object(.created) { text in
      text.member("status", "success")
      text.member("count", ids.count)
      text.name("log_ids")
      text.beginArray()
      for id in ids { text.value(id) }
      text.endArray()
    }
  }

  static func list(
    _ objects: [UInt8], total: Int, _ request: WorkflowListRequest, client: String
  ) -> HTTPAnswer {
    .object { text in
      text.name("data")
      text.array(of: withClient(objects, client))
      text.name("pagination")
      text.beginObject()
      text.member("page", request.page.page)
      text.member("page_size", request.page.size)
      text.member("total", total)
      text.member("pages", request.page.pageCount(of: total))
      text.endObject()
      text.name("filters")
      text.beginObject()
      for name in WorkflowListRequest.filters {
        text.name(text: name)
        if let value = request.asked.values[name] { text.value(value) } else { text.null() }
      }
      time("start_date", request.asked.start, in: &text)
      time("end_date", request.asked.end, in: &text)
      text.endObject()
    }
  }

  static func log(_ record: [UInt8], client: String) -> HTTPAnswer {
    .object { text in
      text.name("data")
      text.raw(withClient(record, client))
    }
  }

  static func overview(_ figures: WorkflowFigures.Overview, days: Int, client: String) -> HTTPAnswer {
    .object { text in
      text.name("data")
      text.beginObject()
      text.member("total_tickets", figures.total)
      text.name("success_rate")
      text.value(rounded: figures.total == 0 ? 0 : Double(figures.succeeded) * 100 / Double(figures.total))
      text.name("avg_execution_time")
      text.value(rounded: figures.averageSeconds ?? 0)
      text.member("error_count", figures.failed)
      text.member("total_logs", figures.total)
      text.member("period_days", days)
      text.endObject()
      text.member("client_id", client)
    }
  }

  static func categories(_ all: [WorkflowFigures.Category], days: Int) -> HTTPAnswer {
    .object { text in
      text.name("data")
      text.beginArray()
      for category in all {
        text.beginObject()
        text.member("category", category.name)
        text.member("count", category.count)
        text.member("success_count", category.succeeded)
        text.name("success_rate")
        text.value(rounded: Double(category.succeeded) * 100 / Double(max(category.count, 1)))
        text.endObject()
      }
      text.endArray()
      text.member("period_days", days)
    }
  }

  private static func time(_ name: StaticString, _ time: Int64?, in text: inout JSONWriter) {
    if let time { text.time(name, time, zone: "+00:00") } else { text.member(name, nil) }
  }

  /// Records' objects with `client_id` behind the id, which comes first and is 36 characters long.
  private static func withClient(_ objects: [UInt8], _ client: String) -> [UInt8] {
    guard !objects.isEmpty else { return [] }
    var writer = JSONWriter(capacity: objects.count + 64)
    writer.append(raw: ",\"client_id\":")
    writer.appendString(client)
    let member = writer.takeBytes()
    let idBytes = "{\"id\":\"\"".utf8.count + 36
    var result: [UInt8] = []
    result.reserveCapacity(objects.count + member.count)
    var elements = JSONElements(objects.span, list: 0)
    var isFirst = true
    while elements.next(objects.span) {
      if !isFirst { result.append(UInt8(ascii: ",")) }
      isFirst = false
      let object = elements.value
      result += objects[object.lowerBound..<object.lowerBound + idBytes]
      result += member
      result += objects[(object.lowerBound + idBytes)..<object.upperBound]
    }
    return result
  }
}
