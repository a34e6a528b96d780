import Access
import Codecs
import Decoding
import Records
import Routing

/// The envelopes the audit API answers with: `{"code","msg","data","meta"}`.
enum AuditResponses {
  private static func envelope(
    hasMeta: Bool = true, _ data: (inout JSONWriter) -> Void, meta: ((inout JSONWriter) -> Void)? = nil
  ) -> HTTPAnswer {
    var text = JSONWriter(capacity: 256)
    text.beginObject()
    text.member("code", 200)
    text.member("msg", "ok")
    text.name("data")
    data(&text)
    if hasMeta {
      text.name("meta")
      if let meta { meta(&text) } else { text.null() }
    }
    text.endObject()
    return .json(.ok, text.takeBytes())
  }

  static func data(_ object: [UInt8]) -> HTTPAnswer { envelope { $0.raw(object) } }

  static func data(list objects: [UInt8]) -> HTTPAnswer { envelope { $0.array(of: objects) } }

  static func list(_ objects: [UInt8], total: Int, _ page: PageRequest) -> HTTPAnswer {
    envelope({ $0.array(of: objects) }) { text in
      text.beginObject()
      text.member("total", total)
      text.member("page", page.page)
      text.member("size", page.size)
      text.member("pages", page.pageCount(of: total))
      text.endObject()
    }
  }

  static func stats(_ counts: [(String, Int)]) -> HTTPAnswer {
    envelope { text in
      text.beginObject()
      for (severity, count) in counts {
        text.name(text: severity)
        text.value(count)
      }
      text.endObject()
    }
  }

  static func deleted(_ count: Int) -> HTTPAnswer {
    envelope { text in
      text.beginObject()
      text.member("deleted_count", count)
      text.endObject()
    }
  }

  static var revoked: HTTPAnswer {
    envelope(hasMeta: false) { text in
      text.beginObject()
      text.member("revoked", true)
      text.endObject()
    }
  }

  static func tenant(_ tenant: AuditTenant) -> HTTPAnswer {
    var answer = envelope(hasMeta: false) { text in object(tenant, secret: tenant.secret, in: &text) }
    answer.headers.append(("Cache-Control", "no-store"))
    return answer
  }

  /// Secrets are shown once, when they are made.
  static func tenants(_ all: [AuditTenant]) -> HTTPAnswer {
    envelope(hasMeta: false) { text in
      text.beginArray()
      for tenant in all { object(tenant, secret: nil, in: &text) }
      text.endArray()
    }
  }

  private static func object(_ tenant: AuditTenant, secret: String?, in text: inout JSONWriter) {
    text.beginObject()
    text.member("name", tenant.name)
    text.member("key", tenant.key)
    text.member("secret", secret)
    text.time("created_at", tenant.createdAt, zone: "Z")
    text.endObject()
  }
}

extension ErrorFormat {
  /// `{"code","msg","data"}`; for validation `data` lists what is wrong; a 401 has no `data`.
  package static let audit = ErrorFormat(listsFaults: true) { problem, _ in
    problem.auditAnswer(isShared: false)
  }

  /// The same, with `data` and `detail` in a 401, for clients of the audit and of the workflow API.
  package static let sharedLogs = ErrorFormat(listsFaults: true) { problem, _ in
    problem.auditAnswer(isShared: true)
  }
}

extension Problem {
  fileprivate func auditAnswer(isShared: Bool) -> HTTPAnswer {
    answer { text in
      text.member("code", status)
      text.member("msg", detail)
      if !validation.isEmpty {
        text.name("data")
        text.list(validation) { text, error in
          text.place(error.place)
          text.member("msg", error.message)
          text.member("type", error.type)
        }
      } else if status != 401 || isShared {
        text.member("data", nil)
      }
      if status == 401, isShared { text.member("detail", "API key required") }
    }
  }

  init(audit error: AccessError) {
    switch error {
    case .tenantExists: self.init(400, "Tenant key already exists")
    default: self.init(access: error)
    }
  }
}
