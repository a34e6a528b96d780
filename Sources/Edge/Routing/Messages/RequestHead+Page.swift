import Records

extension RequestHead {
  /// Whether HTML is wanted rather than JSON (`Accept`; RFC 9110, §12.5.1): said by name and with more
  /// weight, as browsers do. Who takes anything gets JSON.
  package var prefersPage: Bool {
    let (page, data) = (weight(of: "text/html") ?? 0, weight(of: "application/json"))
    return page > (data ?? weight(of: "application/*") ?? weight(of: "*/*") ?? 0)
  }

  /// nil: the type is not named.
  private func weight(of type: String) -> Double? {
    for member in headers[list: "Accept"].prefix(32) {
      let parts = member.parts(at: ";")
      guard parts.first?.trimmed.asciiLowercased.hasBytes(of: type) == true else { continue }
      for parameter in parts.dropFirst() {
        let text = parameter.trimmed.asciiLowercased
        if text.hasBytes(from: "q=") {
          return Double(String(decoding: text.utf8.dropFirst(2), as: UTF8.self)) ?? 0
        }
      }
      return 1
    }
    return nil
  }
}
