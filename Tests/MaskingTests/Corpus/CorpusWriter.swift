import TestKit

/// Fills templates with what texts of logs have in the place: `{hex32}`, `{word}`, `{secret}`. The same seed
/// gives the same texts.
struct CorpusWriter {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  static let lower = Array("abcdefghijklmnopqrstuvwxyz")
  static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  static let digits = Array("0123456789")
  static let months = digits.filter { $0 != "0" }
  static let hex = Array("0123456789abcdef")
  static let alphanumeric = letters + digits
  static let base64 = alphanumeric + Array("+/")
  static let base64URL = alphanumeric + Array("-_")

  static let words = [
    "order", "invoice", "worker", "queue", "cache", "session", "user", "account", "report", "image", "cart",
    "batch", "index", "shard", "topic", "lease", "leader", "replica", "bucket", "volume", "policy", "route",
  ]
  static let people = ["alice", "bob", "carol", "deploy", "svc_orders", "root", "app", "jenkins"]
  static let hosts = [
    "db.internal", "10.0.3.17", "cache-2.prod.example.com", "api.example.org", "localhost",
    "mq.svc.cluster.local",
  ]
  /// What people choose, and what machines make.
  static let passwords = [
    "hunter2", "Tr0ub4dor&3", "S3cr3t!2024", "correcthorse", "p4ssw0rd", "Winter2025!", "letmein99",
    "zaq12wsx",
    "qwertz123", "7391", "G7$kd0-Pq", "swordfish", "maria1987", "ILoveCats!", "x9#Lm2@vQ",
  ]

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &generator)]
  }

  mutating func run(_ alphabet: [Character], _ count: Int) -> String {
    String((0..<count).map { _ in pick(alphabet) })
  }

  /// `template` with each `{kind}` replaced; `{secret}` stays for ``fill(_:with:)``.
  mutating func text(_ template: String) -> String {
    var output = ""
    var rest = Substring(template)
    while let close = rest.firstIndex(of: "}") {
      guard let open = rest[..<close].lastIndex(of: "{") else {
        output += rest[...close]
        rest = rest[rest.index(after: close)...]
        continue
      }
      output += rest[..<open]
      let kind = String(rest[rest.index(after: open)..<close])
      output += value(kind) ?? "{\(kind)}"
      rest = rest[rest.index(after: close)...]
    }
    return output + rest
  }

  /// What stands for `kind`: `hex32` is 32 hexadecimal digits; nil for what is none.
  mutating func value(_ kind: String) -> String? {
    let name = String(kind.prefix { !$0.isNumber })
    let count = Int(kind.drop { !$0.isNumber }) ?? 1
    switch name {
    case "hex": return run(CorpusWriter.hex, count)
    case "upper": return run(Array(CorpusWriter.letters.prefix(26)) + CorpusWriter.digits, count)
    case "alpha": return run(CorpusWriter.alphanumeric, count)
    case "digits": return run(Array(CorpusWriter.digits.dropFirst()), 1) + run(CorpusWriter.digits, count - 1)
    case "base": return run(CorpusWriter.base64, count)
    case "url": return run(CorpusWriter.alphanumeric, 1) + run(CorpusWriter.base64URL, count - 1)
    case "lower": return run(CorpusWriter.lower, count)
    case "word": return pick(CorpusWriter.words)
    case "person": return pick(CorpusWriter.people)
    case "host": return pick(CorpusWriter.hosts)
    case "number": return String(Int.random(in: 0...99_999, using: &generator))
    case "ip":
      return (0..<4).map { _ in String(Int.random(in: 1...254, using: &generator)) }.joined(separator: ".")
    case "uuid":
      return [8, 4, 4, 4, 12].map { run(CorpusWriter.hex, $0) }.joined(separator: "-")
    case "time":
      return
        "2026-0" + run(CorpusWriter.months, 1) + "-1" + run(CorpusWriter.digits, 1) + "T07:17:42Z"
    case "password": return pick(CorpusWriter.passwords)
    default: return nil
    }
  }
}
