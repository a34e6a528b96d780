import Codecs
import Crypto
import CryptoExtras
import Platform

/// What checking a password costs (scrypt, RFC 7914).
package struct PasswordCost: Sendable, Hashable {
  /// log2 of N.
  package var rounds: Int
  /// r: memory is 128 · r · N bytes.
  package var blockSize: Int
  /// p: how often all of it is done.
  package var parallelism: Int

  /// A cost, unchecked.
  package init(rounds: Int, blockSize: Int, parallelism: Int) {
    self.rounds = rounds
    self.blockSize = blockSize
    self.parallelism = parallelism
  }

  /// N = 2^15, r = 8, p = 1: about 100 ms and 32 MiB a check.
  package static let interactive = PasswordCost(rounds: 15, blockSize: 8, parallelism: 1)
}

/// A password as it is kept: `$scrypt-hmac$ln=15,r=8,p=1$SALT$HASH`, base64url.
///
/// HASH is HMAC-SHA256(scrypt(password, SALT), SALT).
struct PasswordHash: Sendable, Hashable {
  let cost: PasswordCost
  let salt: [UInt8]
  let hash: [UInt8]

  static let passwordBytesMax = 1_024
  /// Whether a password could have been set. One with NUL could not: HMAC pads short keys with zeros, so that
  /// scrypt takes it for the same password as without.
  static func canHash(_ password: String) -> Bool {
    password.utf8.count <= passwordBytesMax && !password.utf8.contains(0)
  }

  private static let saltBytes = 16
  private static let hashBytes = 32

  /// Hashes `password` with a new salt. Takes as long as `cost` says: never on an event loop.
  init(of password: String, cost: PasswordCost, entropy: any EntropySource) throws(AccessError) {
    self.cost = cost
    salt = entropy.bytes(PasswordHash.saltBytes)
    hash = try PasswordHash.derive(password, salt: salt, cost: cost)
  }

  /// nil: not a text of this form.
  init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt-hmac" else { return nil }
    let names = ["ln", "r", "p"]
    let numbers = parts[2].split(separator: ",").map { $0.split(separator: "=") }
    guard numbers.count == 3, zip(numbers, names).allSatisfy({ $0.count == 2 && $0[0] == $1 }),
      let rounds = Int(numbers[0][1]), let block = Int(numbers[1][1]), let parallel = Int(numbers[2][1]),
      (1...24).contains(rounds), (1...64).contains(block), (1...16).contains(parallel),
      let salt = Base64URL.bytes(String(parts[3])), let hash = Base64URL.bytes(String(parts[4])),
      salt.count >= 8, hash.count == PasswordHash.hashBytes
    else { return nil }
    self.cost = PasswordCost(rounds: rounds, blockSize: block, parallelism: parallel)
    self.salt = salt
    self.hash = hash
  }

  var text: String {
    "$scrypt-hmac$ln=\(cost.rounds),r=\(cost.blockSize),p=\(cost.parallelism)$\(Base64URL.text(salt))$\(Base64URL.text(hash))"
  }

  /// Whether `password` is the one that was hashed. Takes as long as the cost says.
  func matches(_ password: String) throws(AccessError) -> Bool {
    hash.isSecretly(try PasswordHash.derive(password, salt: salt, cost: cost))
  }

  private static func derive(
    _ password: String, salt: [UInt8], cost: PasswordCost
  ) throws(AccessError) -> [UInt8] {
    do {
      let key = try KDF.Scrypt.deriveKey(
        from: Array(password.utf8), salt: salt, outputByteCount: hashBytes, rounds: 1 << cost.rounds,
        blockSize: cost.blockSize, parallelism: cost.parallelism)
      // The derived key itself is only to be had as raw memory; its HMAC proves the same.
      return Array(HMAC<SHA256>.authenticationCode(for: salt, using: key))
    } catch {
      throw .database("scrypt failed (not enough memory?): \(error)")
    }
  }
}

/// Which passwords may be chosen.
package struct PasswordRules: Sendable, Hashable {
  /// Twelve characters at least, not the user's name, none of the common ones. Otherwise any that is not
  /// empty.
  package let isStrict: Bool
  private static let lengthMin = 12

  /// The strict rules, or next to none.
  package init(isStrict: Bool) { self.isStrict = isStrict }

  func check(_ password: String, user: String) throws(AccessError) {
    guard !password.isEmpty else { throw .weakPassword("A password must not be empty.") }
    guard password.utf8.count <= PasswordHash.passwordBytesMax else {
      throw .weakPassword("A password has at most \(PasswordHash.passwordBytesMax) bytes.")
    }
    guard PasswordHash.canHash(password) else { throw .weakPassword("A password has no NUL characters.") }
    guard isStrict else { return }
    guard password.count >= PasswordRules.lengthMin else {
      throw .weakPassword("A password needs at least \(PasswordRules.lengthMin) characters.")
    }
    let folded = password.lowercased()
    guard folded != user.lowercased() else {
      throw .weakPassword("The password must not be the user's name.")
    }
    guard !PasswordRules.isCommon(folded) else {
      throw .weakPassword("This password is one of the most common ones.")
    }
  }

  /// Common passwords of this length are a common word, or a run of the keyboard, repeated or with digits
  /// behind it.
  private static func isCommon(_ folded: String) -> Bool {
    let core = folded.filter { !$0.isNumber && !"!.?@#$_-".contains($0) }
    if Set(folded).count <= 3 || stems.contains(core) { return true }
    return stems.contains { stem in
      core.count >= stem.count * 2 && core.replacing(stem, with: "").isEmpty
        || stem.count >= lengthMin && folded == stem
    }
  }

  private static let stems: Set<String> = [
    "password", "passwort", "passw", "pass", "qwerty", "qwertyuiop", "qwertz", "qwertzuiop", "azerty",
    "azertyuiop",
    "asdfgh", "asdfghjkl", "zxcvbnm", "admin", "administrator", "root", "letmein", "welcome", "iloveyou",
    "changeme",
    "secret", "default", "login", "master", "dragon", "monkey", "football", "baseball", "sunshine",
    "princess",
    "superman", "batman", "trustno", "whatever", "cordwood", "logserver", "computer", "internet", "abc",
    "abcdef",
    "123456789012", "1234567890123", "12345678901234", "123456789abc", "1q2w3e4r5t6y", "1qaz2wsx3edc",
    "qazwsxedcrfv",
    "q1w2e3r4t5y6", "correcthorsebatterystaple",
  ]
}
