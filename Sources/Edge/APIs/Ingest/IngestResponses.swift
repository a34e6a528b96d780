import Codecs
import Masking
import Records
import Routing

/// The bodies the ingest API answers with.
enum IngestResponses {
  static func accepted(_ count: Int, requestID: String, now: Int64) -> HTTPAnswer {
    .object(.accepted) { text in
      text.member("message", "Logs accepted for processing")
      text.member("entries_accepted", count)
      text.member("request_id", requestID)
      text.time("timestamp", now, zone: "Z")
    }
  }

  static func status(isAvailable: Bool, isHealthy: Bool) -> HTTPAnswer {
    .object { text in
      text.name("forwarder_service")
      text.beginObject()
      text.member("available", isAvailable)
      text.member("healthy", isHealthy)
      text.endObject()
      text.name("metrics")
      text.beginObject()
      text.member("available", true)
      text.endObject()
    }
  }

  static func flushed(_ report: IngestFlush) -> HTTPAnswer {
    .object { text in
      text.member("message", "Flush completed successfully")
      text.member("entries_forwarded", report.parts.reduce(0) { $0 + $1.entryCount })
      text.member("segments_processed", report.parts.count)
      text.name("flushed_segments")
      text.beginArray()
      for part in report.parts {
        text.beginObject()
        text.member("token", part.tenant.name)
        text.member("segment", "journal")
        text.member("size_bytes", part.bytes)
        text.member("entries_count", part.entryCount)
        text.endObject()
      }
      text.endArray()
    }
  }

  static func generated(_ token: String, _ request: TokenRequest) -> HTTPAnswer {
    let state = request.isActive ? "It holds at once" : "It is inactive"
    return .object { text in
      text.member("token", token)
      text.member("service_name", request.name)
      text.member("description", request.purpose)
      text.member("active", request.isActive)
      text.member(
        "message",
        "Token generated successfully for service '\(request.name)'. \(state), survives restarts, and is not shown again."
      )
    }
  }

  static func trial(_ trial: MaskingReport) -> HTTPAnswer {
    .object { text in
      text.name("entry")
      text.raw(Array(trial.text.utf8))
      text.name("hits")
      text.beginArray()
      for hit in trial.findings {
        text.beginObject()
        text.member("place", hit.path)
        text.member("rule", hit.rule)
        text.endObject()
      }
      text.endArray()
    }
  }

  static func deadLetters(_ letters: [DeadLetterEntry], hasMore: Bool) -> HTTPAnswer {
    .object { text in
      text.name("dead_letters")
      text.beginArray()
      for letter in letters {
        text.beginObject()
        text.member("id", Int(letter.id))
        text.member("token", letter.tenant.name)
        text.time("refused_at", letter.refusedAt, zone: "Z")
        text.member("reason", letter.reason)
        text.time("timestamp", letter.timestamp, zone: "Z")
        text.member("line", letter.line)
        text.endObject()
      }
      text.endArray()
      text.member("count", letters.count)
      text.name("next")
      if hasMore, let last = letters.last { text.value(last.id) } else { text.null() }
    }
  }

  static func count(_ name: StaticString, _ count: Int) -> HTTPAnswer {
    .object { text in text.member(name, count) }
  }
}

extension ErrorFormat {
  /// `{"error","message","details"}` for the API's own errors, `{"detail"}` for those of requests as such;
  /// validation errors as a list without what was sent.
  package static let ingest = ErrorFormat(listsFaults: true) { problem, _ in problem.ingestAnswer }
}

extension Problem {
  fileprivate var ingestAnswer: HTTPAnswer {
    answer { text in
      if !validation.isEmpty {
        text.name("detail")
        text.list(validation) { text, error in text.fault(error) }
      } else if let code = ingestCode {
        text.member("error", code)
        text.member("message", detail)
        if code != "internal_server_error" { details(of: code, in: &text) }
      } else {
        text.member("detail", detail)
      }
    }
  }

  private func details(of code: String, in text: inout JSONWriter) {
    text.name("details")
    text.beginObject()
    if code == "quota_exceeded", let field {
      text.member("quota_type", field)
    } else if let retryAfterSeconds {
      text.member("retry_after", retryAfterSeconds)
    }
    text.endObject()
  }

  /// nil: a fault of the request as such.
  private var ingestCode: String? {
    if let code { return code }
    switch status {
    case 401: return "authentication_error"
    case 507: return "wal_error"
    case 503: return "wal_error"
    case 500: return "internal_server_error"
    default: return nil
    }
  }
}
