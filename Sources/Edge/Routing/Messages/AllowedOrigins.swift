import Records

/// The origins whose pages may read answers (CORS; Fetch, §3.2). Nothing here is let in by cookies, so that a
/// page has only the credentials it was given.
package struct AllowedOrigins: Sendable, Hashable {
  /// nil: all there are.
  private let origins: Set<Name>?

  package static let all = AllowedOrigins(origins: nil)

  private init(origins: Set<Name>?) { self.origins = origins }

  /// - Parameter names: `*` for all, or origins as browsers send them, such as `https://app.example.com` or
  ///   `http://localhost:3000`, in any case; none: no page reads anything.
  /// - Returns: nil if a name is neither.
  package init?(_ names: [String]) {
    let names = names.map { $0.lowercased() }
    guard names.allSatisfy({ $0 == "*" || AllowedOrigins.isOrigin($0) }) else { return nil }
    origins = names.contains("*") ? nil : Set(names.map { Name($0) })
  }

  /// Whether it is scheme, host and perhaps a port, and no more.
  private static func isOrigin(_ text: String) -> Bool {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://") else {
      return false
    }
    let host = text[colon...].dropFirst(3)
    func isWord(_ text: Substring, with more: String) -> Bool {
      !text.isEmpty
        && text.utf8.allSatisfy { byte in
          UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || more.utf8.contains(byte)
        }
    }
    return isWord(text[..<colon], with: "+-.") && isWord(host, with: "-._:[]")
  }

  /// What `Access-Control-Allow-Origin` says to a page of `origin`; nil: it may not read the answer.
  package func answer(to origin: String) -> String? {
    guard let origins else { return "*" }
    return origins.contains(Name(origin)) ? origin : nil
  }
}
