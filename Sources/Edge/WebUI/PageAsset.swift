import Columnar
import Records
import Routing
import Synchronization

/// A file as it is sent: compressed once, when it is first asked for, so that a start does not wait for it.
final class PageAsset: Sendable {
  let mediaType: String
  private let plain: [UInt8]
  private let compressed = Mutex<[StreamCompressor.Coding: [UInt8]?]>([:])

  init(_ name: String, _ bytes: [UInt8]) {
    mediaType = PageAsset.mediaType(of: name)
    plain = bytes
  }

  /// nil: it would not be shorter.
  private func short(_ coding: StreamCompressor.Coding) -> [UInt8]? {
    compressed.withLock { known in
      if let short = known[coding] { return short }
      let short = PageAsset.compressed(plain, coding)
      known[coding] = .some(short)
      return short
    }
  }

  private static func compressed(_ bytes: [UInt8], _ coding: StreamCompressor.Coding) -> [UInt8]? {
    // Without memory for a compressor the file goes as it is.
    guard let short = try? StreamCompressor(coding).finish(bytes.span), short.count < bytes.count else {
      return nil
    }
    return short
  }

  private static func mediaType(of name: String) -> String {
    switch name.parts(at: ".").last ?? "" {
    case "html": "text/html; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "svg": "image/svg+xml"
    case "json", "webmanifest": "application/json"
    default: "application/octet-stream"
    }
  }

  /// The answer to who takes these codings.
  func answer(to head: RequestHead, _ fields: [(name: String, value: String)]) -> HTTPAnswer {
    let coding = AcceptedCodings(head.headers).best
    let short: [UInt8]? = if let coding { self.short(coding) } else { nil }
    var fields = fields
    fields.append(("Vary", "Accept-Encoding"))
    if let coding, short != nil { fields.append(("Content-Encoding", coding.rawValue)) }
    return HTTPAnswer(.ok, contentType: mediaType, headers: fields, body: short ?? plain)
  }
}
