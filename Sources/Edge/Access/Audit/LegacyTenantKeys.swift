import Codecs
import Crypto

/// The rule of the log server this API comes from: a tenant's key follows from its name and one secret for
/// all.
///
/// Whoever knows the secret can sign for every tenant, and the original's is in its source: for development
/// only.
package struct LegacyTenantKeys: Sendable, Hashable, CustomStringConvertible {
  /// The original's.
  package static let defaultSecret = "secret"

  /// Whether tokens signed by this rule hold, and new tenants get their secret by it.
  package let isOn: Bool
  /// From which all keys follow.
  package let secret: String

  /// The rule, on or off, with the original's secret or another.
  package init(isOn: Bool, secret: String = LegacyTenantKeys.defaultSecret) {
    self.isOn = isOn
    self.secret = secret
  }

  /// Whether everybody knows the secret.
  package var hasDefaultSecret: Bool { secret == LegacyTenantKeys.defaultSecret }

  /// The key of `tenant`: the hexadecimal digits of MD5(tenant + secret), taken as text.
  func key(of tenant: String) -> String { LegacyTenantKeys.digest(tenant + secret) }

  /// Whether `key` follows from the rule, with this secret or the one that everybody knows.
  func derives(_ key: String, for tenant: String) -> Bool {
    key == self.key(of: tenant) || key == LegacyTenantKeys.digest(tenant + LegacyTenantKeys.defaultSecret)
  }

  private static func digest(_ text: String) -> String {
    Hex.text(Array(Insecure.MD5.hash(data: Array(text.utf8))))
  }

  /// Without the secret.
  package var description: String { "legacy tenant keys: \(isOn ? "on" : "off")" }
}
