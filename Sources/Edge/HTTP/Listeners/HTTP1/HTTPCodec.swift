import NIOCore
import NIOHTTP1

/// The handlers that make messages of a connection's bytes; taken out when the connection becomes a
/// WebSocket.
struct HTTPCodec {
  let encoder: HTTPResponseEncoder
  let decoder: ByteToMessageHandler<HTTPRequestDecoder>

  init(limits: NIOHTTPDecoderLimitConfiguration) {
    // How a body is framed the connection says: the encoder does not know that an answer to HEAD has none.
    var framing = HTTPResponseEncoder.Configuration()
    framing.automaticallySetFramingHeaders = false
    encoder = HTTPResponseEncoder(configuration: framing)
    // What the client sent behind its handshake is not lost.
    decoder = ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
  }
}
