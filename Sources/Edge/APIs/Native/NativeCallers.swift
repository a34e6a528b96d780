import Access
import Codecs
import Records
import Routing

/// Who calls with a key of the native API: its own routes, and those of the tools of others that write and
/// read as its tenants.
struct NativeCallers: Sendable {
  private let directory: KeyDirectory
  private let log: any AccessLog

  init(_ directory: KeyDirectory, log: any AccessLog) {
    self.directory = directory
    self.log = log
  }

  /// Whose request it is; records in the access log what was found. Called on event loops: does not block.
  ///
  /// - Parameters:
  ///   - form: How the key is shown.
  ///   - check: What else must hold of the caller.
  /// - Throws: 401, 403.
  func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route, as form: KeyForm = .bearer,
    check: (Principal) throws(Problem) -> Void = { _ throws(Problem) in }
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .native, route: route.name)
    defer { log.record(event) }
    let principal: Principal
    let authorization = form.authorization(head)
    do throws(CredentialError) { principal = try directory.authenticate(authorization: authorization) } catch
    {
      event.outcome = .refused("\(error)")
      throw form.problem(error)
    }
    if authorization == nil { try head.checkIsOwners(&event) }
    event.subject = principal.subject
    event.tenant = principal.tenant
    if let permission = route.permission, !principal.allows(permission) {
      event.outcome = .refused("role")
      throw Problem(403, "The API key's role \(principal.role.rawValue) does not allow this.")
    }
    do throws(Problem) { try check(principal) } catch {
      event.outcome = .refused("tenant")
      throw error
    }
    return principal
  }

  /// `Bearer KEY` for `Basic …` of any name and the password KEY (RFC 7617), and for Elasticsearch's
  /// `ApiKey …` of any id and KEY, or of KEY alone; nil for anything else.
  static func bearer(ofPair value: String) -> String? {
    guard value.utf8.count <= KeyDirectory.credentialBytesMax * 2,
      let scheme = ["basic ", "apikey "].first(where: { begins(value, with: $0) })
    else { return nil }
    let coded = value.utf8.dropFirst(scheme.utf8.count).drop { $0 == UInt8(ascii: " ") }
    guard let pair = Base64.bytes(coded), let colon = pair.firstIndex(of: UInt8(ascii: ":")) else {
      // Elasticsearch's keys are pairs; who is given one key alone writes that.
      return scheme.hasBytes(of: "apikey ") ? "Bearer " + String(Substring(coded)) : nil
    }
    return "Bearer " + String(decoding: pair[(colon + 1)...], as: UTF8.self)
  }

  /// `Bearer KEY` for KEY behind another scheme; nil for anything else.
  ///
  /// - Parameter scheme: In lower case, with the blank behind it.
  static func bearer(of value: String, scheme: String) -> String? {
    guard begins(value, with: scheme) else { return nil }
    return "Bearer " + String(Substring(value.utf8.dropFirst(scheme.utf8.count)))
  }

  private static func begins(_ value: String, with scheme: String) -> Bool {
    value.utf8.count > scheme.utf8.count
      && zip(value.utf8, scheme.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
  }
}
