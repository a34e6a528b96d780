import Codecs
import Forwarding
import Platform
import Records

/// Where users, keys, tenants, containers and the forwarders' state are durable. Nothing above knows which
/// database it is.
///
/// Every change is acknowledged only once it would survive a power loss, or on every node of a cluster the
/// loss of one, and only after ``changes`` has told it. Calls may come at once from several tasks; none
/// blocks its caller's thread.
package protocol ControlPlane: Sendable {
  /// What changes, here and elsewhere.
  var changes: any ControlChanges { get }
  /// Users and their tokens.
  var accounts: any AccountRepository { get }
  /// API keys.
  var keys: any KeyRepository { get }
  /// Tenants of the audit API.
  var tenants: any TenantRepository { get }
  /// Tokens of the query-log API.
  var queryTokens: any QueryTokenRepository { get }
  /// Containers and sessions.
  var catalog: any CatalogRepository { get }
  /// What users may do on the page.
  var grants: any GrantRepository { get }
  /// Views that were saved on the page.
  var views: any ViewRepository { get }
  /// Secrets and choices of the server itself.
  var settings: any SettingRepository { get }
  /// Cursors and dead letters of forwarders.
  var forwarding: any ForwardingState { get }

  /// Lets everything go; nothing may be asked afterwards.
  func close() async throws(AccessError)
}

/// Texts by name.
package protocol SettingRepository: Sendable {
  /// The text kept under `name`: `fallback`, from now on, if there was none. Of several who ask at once all
  /// get the same.
  ///
  /// - Throws: `database`, `diskFull`.
  func value(of name: String, orElse fallback: String) async throws(AccessError) -> String

  /// Keeps `value` under `name`.
  ///
  /// - Throws: `database`, `diskFull`.
  func set(_ name: String, to value: String) async throws(AccessError)
}

extension SettingRepository {
  /// A random value of 32 bytes kept under `name`, made at its first use.
  ///
  /// - Throws: `database`: it is damaged, or what ``value(of:orElse:)`` throws.
  package func secret(
    _ name: String, entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) -> [UInt8] {
    let text = try await value(of: "secret:" + name, orElse: Hex.text(entropy.bytes(32)))
    guard let bytes = Hex.bytes(text), bytes.count == 32 else {
      throw .database("the secret \(name) in the control database is damaged")
    }
    return bytes
  }
}
