import Codecs
import Decoding
import Records
import Routing

/// `{"service_name","description","active"?}`.
struct TokenRequest {
  let name: String
  let purpose: String
  let isActive: Bool

  init(_ body: [UInt8]) throws(Problem) {
    var form = try JSONForm(body, taking: "service_name", "description", "active")
    name = form.text("service_name", characters: 3...50)
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    if form.faults.isEmpty, !isPlain {
      form.note(
        "service_name", "string_pattern_mismatch", "String should match pattern '^[a-zA-Z0-9_-]+$'")
    }
    purpose = form.text("description", characters: 5...200)
    isActive = form.flag("active", orElse: true)
    try form.check()
  }

  /// The token's text, of 16 or more random bytes.
  func token(_ random: [UInt8]) -> String {
    let word = name.lowercased().filter { $0 != "-" && $0 != "_" }.prefix(10)
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    var secret = ""
    for start in [0, 8] {
      var number = random[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      for _ in 0..<10 {
        secret.append(alphabet[Int(number % 36)])
        number /= 36
      }
    }
    return "logstack_\(word)_\(secret)"
  }
}

/// `{"archive"?,"timeout_seconds"?}`, or nothing.
struct FlushRequest {
  static let timeoutSeconds = 30
  /// What the original's clients send (exchange 004.73).
  static let passedOver = ["token", "force"]
  let archives: Bool
  let timeoutSeconds: Int

  init(_ body: [UInt8]) throws(Problem) {
    guard !body.isEmpty else {
      archives = false
      timeoutSeconds = FlushRequest.timeoutSeconds
      return
    }
    var form = try JSONForm(
      body, taking: "archive", "timeout_seconds", passingOver: FlushRequest.passedOver)
    archives = form.flag("archive", orElse: false)
    switch form["timeout_seconds"] {
    case nil: timeoutSeconds = FlushRequest.timeoutSeconds
    case .int64(let seconds)? where (1...300).contains(seconds): timeoutSeconds = Int(seconds)
    default:
      timeoutSeconds = FlushRequest.timeoutSeconds
      form.note("timeout_seconds", "int_range", "Input should be an integer from 1 to 300")
    }
    try form.check()
  }
}

/// `{"entry": {…}, "token"?: a key's name}`.
struct MaskingTrialRequest {
  /// The entry's JSON.
  let entry: [UInt8]
  let tenant: Tenant?

  init(_ body: [UInt8]) throws(Problem) {
    var form = try JSONForm(body, taking: "entry", "token")
    switch form["entry"] {
    case .some(.object): break
    case nil: form.note("entry", "missing", "Field required")
    default: form.note("entry", "dict_type", "Input should be a valid dictionary")
    }
    switch form["token"] {
    case nil, .null?: tenant = nil
    case .string(let name)? where Tenant.isValid(name: name): tenant = Tenant(realm: .ingest, name: name)
    default:
      tenant = nil
      form.note("token", "string_type", "Input should be a key's name")
    }
    try form.check()
    entry = Array((form["entry"] ?? .null).text.utf8)
  }
}

/// `{"ids": [1, …]}`, `{"token": a key's name}` or `{"all": true}`.
struct DeadLetterRequest {
  static let idsMax = 10_000
  let choice: DeadLetterChoice

  init(_ body: [UInt8]) throws(Problem) {
    let form = try JSONForm(body, taking: "ids", "token", "all")
    try form.check()
    let choices = ["ids", "token", "all"].filter { form[$0] != nil }
    guard choices.count == 1 else {
      throw Problem(
        ValidationFailure([.name("body")], "value_error", "Value error, give one of ids, token, all"))
    }
    if case .array(let items)? = form["ids"], items.count <= DeadLetterRequest.idsMax {
      let ids = items.compactMap { item in if case .int64(let id) = item { id } else { nil as Int64? } }
      if ids.count == items.count {
        choice = .ids(ids)
        return
      }
    }
    if case .string(let name)? = form["token"], Tenant.isValid(name: name) {
      choice = .tenant(Tenant(realm: .ingest, name: name))
      return
    }
    if form["all"] == .bool(true) {
      choice = .all
      return
    }
    throw Problem(
      ValidationFailure(
        [.name("body"), .name(choices[0])], "value_error",
        "Value error, ids is a list of at most \(DeadLetterRequest.idsMax) integers, token a key's name, all true"
      ))
  }
}
