import Codecs
import Columnar
import Records
import Routing

/// How a gRPC call went.
struct GRPCStatus: Sendable {
  /// google.rpc.Code.
  var code = 0
  var message = ""
  /// When the call may succeed; nil: it is not to be made again for that reason.
  var retryAfterSeconds: Int?

  /// The fields behind the answer.
  var trailers: [(name: String, value: String)] {
    var fields = [(name: "grpc-status", value: "\(code)")]
    if !message.isEmpty { fields.append(("grpc-message", GRPCStatus.escaped(message))) }
    if let retryAfterSeconds { fields.append(("grpc-status-details-bin", details(retryAfterSeconds))) }
    return fields
  }

  /// Percent-encoded beyond visible ASCII and blanks.
  private static func escaped(_ text: String) -> String {
    var escaped: [UInt8] = []
    for byte in text.utf8 {
      if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
        escaped.append(byte)
      } else {
        escaped += Array("%".utf8) + Array(Hex.text([byte]).utf8)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }

  /// `google.rpc.Status { 1 code, 2 message, 3 details* { 1 type, 2 google.rpc.RetryInfo { 1 Duration
  /// { 1 seconds } } } }` in base64 without padding.
  private func details(_ seconds: Int) -> String {
    func message(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
      var writer = ProtobufWriter()
      write(&writer)
      return writer.bytes
    }
    let duration = message { $0.append(1, varint: UInt64(max(0, seconds))) }
    let info = message { $0.append(1, bytes: duration) }
    let detail = message {
      $0.append(1, text: "type.googleapis.com/google.rpc.RetryInfo")
      $0.append(2, bytes: info)
    }
    let status = message {
      $0.append(1, varint: UInt64(code))
      $0.append(2, text: self.message)
      $0.append(3, bytes: detail)
    }
    return String(decoding: Base64.text(status.span).utf8.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
  }
}

/// The one message of a unary gRPC call: a byte that says whether it is compressed, its length in four, it.
enum GRPCMessage {
  private static let prefixBytes = 5
  private static let mediaType = "application/grpc"
  private static let codings = (name: "grpc-accept-encoding", value: "identity,gzip,deflate,zstd")

  /// The call with the message as its body, compressed as `grpc-encoding` says.
  ///
  /// - Throws: 400, 415.
  static func unwrapped(_ call: HTTPCall) throws(Problem) -> HTTPCall {
    let body = call.body
    guard body.count >= prefixBytes, body[0] <= 1,
      body[1..<prefixBytes].reduce(0, { $0 << 8 | Int($1) }) == body.count - prefixBytes
    else { throw Problem(400, "The call has one message behind its length.") }
    guard body[0] == 1 else { return call.replacingBody(Array(body[prefixBytes...]), coding: nil) }
    let name = call.head.headers.first(name: "grpc-encoding") ?? "identity"
    guard !name.asciiLowercased.hasBytes(of: "identity") else {
      throw Problem(400, "The message is said to be compressed, and grpc-encoding names no way.")
    }
    guard let coding = ContentCoding(name) else {
      throw Problem(415, "grpc-encoding is one of \(ContentCoding.names), and identity.")
    }
    return call.replacingBody(Array(body[prefixBytes...]), coding: coding.rawValue)
  }

  /// A message that is not compressed, for documents.
  static func shown(_ message: String) -> String {
    let bytes = framed(Array(message.utf8))
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func framed(_ message: [UInt8]) -> [UInt8] {
    [0] + (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (24 - 8 * $0)) } + message
  }

  /// The answer to a call that was done.
  static func answer(_ message: [UInt8]) -> HTTPAnswer {
    var answer = HTTPAnswer(.ok, contentType: mediaType, headers: [codings], body: framed(message))
    answer.trailers = GRPCStatus().trailers
    return answer
  }

  /// The answer to a call that was not.
  static func answer(
    _ status: HTTPStatus, headers: [(name: String, value: String)], _ outcome: GRPCStatus
  ) -> HTTPAnswer {
    var answer = HTTPAnswer(status, contentType: mediaType, headers: headers + [codings], body: [])
    answer.trailers = outcome.trailers
    return answer
  }
}
