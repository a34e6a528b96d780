import Codecs
import Decoding
import Records

/// A small JSON body of the ingest API, with faults in the words of its clients.
enum IngestBody {
  static func object(_ body: [UInt8]) throws(Problem) -> JSONTree {
    guard !body.isEmpty else {
      throw Problem(ValidationFailure([ValidationError([.name("body")], "missing", "Field required")]))
    }
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: body) } catch {
      throw Problem(
        ValidationFailure([
          ValidationError([.name("body"), .index(error.offsetBytes)], "json_invalid", "JSON decode error")
        ]))
    }
    guard case .object = tree else { throw Problem(ValidationFailure([noObject])) }
    return tree
  }

  static let noObject = ValidationError(
    [.name("body")], "model_attributes_type",
    "Input should be a valid dictionary or object to extract fields from")
}

/// `{"service_name","description","active"?}`.
struct TokenRequest {
  let name: String
  let purpose: String
  let isActive: Bool

  init(_ body: [UInt8]) throws(Problem) {
    let tree = try IngestBody.object(body)
    var errors: [ValidationError] = []
    name = TokenRequest.text(tree, "service_name", 3...50, &errors)
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    if errors.isEmpty, !isPlain {
      errors.append(
        ValidationError(
          [.name("body"), .name("service_name")], "string_pattern_mismatch",
          "String should match pattern '^[a-zA-Z0-9_-]+$'"))
    }
    purpose = TokenRequest.text(tree, "description", 5...200, &errors)
    switch tree["active"] {
    case nil: isActive = true
    case .bool(let flag)?: isActive = flag
    default:
      isActive = false
      errors.append(
        ValidationError([.name("body"), .name("active")], "bool_type", "Input should be a valid boolean"))
    }
    guard errors.isEmpty else { throw Problem(ValidationFailure(errors)) }
  }

  private static func text(
    _ tree: JSONTree, _ name: String, _ length: ClosedRange<Int>, _ errors: inout [ValidationError]
  ) -> String {
    let place: [ValidationPlace] = [.name("body"), .name(name)]
    guard let value = tree[name] else {
      errors.append(ValidationError(place, "missing", "Field required"))
      return ""
    }
    guard let text = value.string else {
      errors.append(ValidationError(place, "string_type", "Input should be a valid string"))
      return ""
    }
    let count = text.unicodeScalars.count
    if count < length.lowerBound {
      errors.append(
        ValidationError(
          place, "string_too_short", "String should have at least \(length.lowerBound) characters"))
    } else if count > length.upperBound {
      errors.append(
        ValidationError(
          place, "string_too_long", "String should have at most \(length.upperBound) characters"))
    } else if text.utf8.contains(0) {
      errors.append(ValidationError(place, "value_error", "Value error, NUL is not allowed in text"))
    }
    return text
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

/// `{"archive"?,"timeout_seconds"?}`; other members are let be, and so is a body that is no object.
struct FlushRequest {
  static let timeoutSeconds = 30
  let archives: Bool
  let timeoutSeconds: Int

  init(_ body: [UInt8]) throws(Problem) {
    // Clients have always been free to send anything here.
    guard let tree = try? JSONTree(parsing: body), case .object = tree else {
      archives = false
      timeoutSeconds = FlushRequest.timeoutSeconds
      return
    }
    var errors: [ValidationError] = []
    switch tree["archive"] {
    case nil: archives = false
    case .bool(let flag)?: archives = flag
    default:
      archives = false
      errors.append(
        ValidationError([.name("body"), .name("archive")], "bool_type", "Input should be a valid boolean"))
    }
    switch tree["timeout_seconds"] {
    case nil: timeoutSeconds = FlushRequest.timeoutSeconds
    case .int64(let seconds)? where (1...300).contains(seconds): timeoutSeconds = Int(seconds)
    default:
      timeoutSeconds = FlushRequest.timeoutSeconds
      errors.append(
        ValidationError(
          [.name("body"), .name("timeout_seconds")], "int_range", "Input should be an integer from 1 to 300"))
    }
    guard errors.isEmpty else { throw Problem(ValidationFailure(errors)) }
  }
}

/// `{"entry": {…}, "token"?: a key's name}`.
struct MaskingTrialRequest {
  /// The entry's JSON.
  let entry: [UInt8]
  let tenant: Tenant?

  init(_ body: [UInt8]) throws(Problem) {
    let tree = try IngestBody.object(body)
    var errors: [ValidationError] = []
    switch tree["entry"] {
    case .some(.object): break
    case nil: errors.append(ValidationError([.name("body"), .name("entry")], "missing", "Field required"))
    default:
      errors.append(
        ValidationError([.name("body"), .name("entry")], "dict_type", "Input should be a valid dictionary"))
    }
    switch tree["token"] {
    case nil, .null?: tenant = nil
    case .string(let name)? where Tenant.isValid(name: name): tenant = Tenant(realm: .ingest, name: name)
    default:
      tenant = nil
      errors.append(
        ValidationError([.name("body"), .name("token")], "string_type", "Input should be a key's name"))
    }
    guard errors.isEmpty else { throw Problem(ValidationFailure(errors)) }
    entry = Array((tree["entry"] ?? .null).text.utf8)
  }
}

/// `{"ids": [1, …]}`, `{"token": a key's name}` or `{"all": true}`.
struct DeadLetterRequest {
  static let idsMax = 10_000
  let choice: DeadLetterChoice

  init(_ body: [UInt8]) throws(Problem) {
    let tree = try IngestBody.object(body)
    let choices = ["ids", "token", "all"].filter { tree[$0] != nil }
    guard choices.count == 1 else {
      throw Problem(
        ValidationFailure([
          ValidationError([.name("body")], "value_error", "Value error, give one of ids, token, all")
        ]))
    }
    if case .array(let items)? = tree["ids"], items.count <= DeadLetterRequest.idsMax {
      let ids = items.compactMap { item in if case .int64(let id) = item { id } else { nil as Int64? } }
      if ids.count == items.count {
        choice = .ids(ids)
        return
      }
    }
    if case .string(let name)? = tree["token"], Tenant.isValid(name: name) {
      choice = .tenant(Tenant(realm: .ingest, name: name))
      return
    }
    if tree["all"] == .bool(true) {
      choice = .all
      return
    }
    throw Problem(
      ValidationFailure([
        ValidationError(
          [.name("body"), .name(choices[0])], "value_error",
          "Value error, ids is a list of at most \(DeadLetterRequest.idsMax) integers, token a key's name, all true"
        )
      ]))
  }
}
