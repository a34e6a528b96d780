import NIOCore
import Routing

/// Sees a connection's bytes before the decoder, and of bodies in chunks learns how long a chunk will be: the
/// body is refused then, not when all that is allowed of it is here.
///
/// Where a body begins is sure only if its head lies whole at the beginning of what was read; elsewhere
/// nothing is looked at, and bytes are counted as they come. On the channel's event loop only.
final class ChunkTap: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// What is being decoded.
  private var current: ByteBuffer?
  private var hasHead = false
  private var scan: ChunkScan?
  /// Is told of bytes that a chunk announced and that did not come yet.
  var announce: ((Int) -> Void)?

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    scan?.take(bytes.readableBytesView)
    current = bytes
    hasHead = false
    context.fireChannelRead(data)
    current = nil
    if let scan, scan.bytesToCome > 0 { announce?(scan.bytesToCome) }
  }

  /// A head was decoded.
  func begin(_ head: RequestHead) {
    scan = nil
    let isFirst = !hasHead
    hasHead = true
    guard isFirst, head.headers.contains(name: "Transfer-Encoding"), let current else { return }
    let bytes = current.readableBytesView
    guard bytes.starts(with: "\(head.method.rawValue) \(head.target) ".utf8),
      let end = ChunkTap.headEnd(in: bytes)
    else { return }
    var scan = ChunkScan()
    scan.take(bytes[end...])
    self.scan = scan
  }

  /// The request is whole.
  func end() { scan = nil }

  /// Where the first empty line ends.
  private static func headEnd(in bytes: ByteBufferView) -> Int? {
    let mark: [UInt8] = [13, 10, 13, 10]
    var at = bytes.startIndex
    while let found = bytes[at...].firstIndex(of: 13) {
      if bytes[found...].starts(with: mark) { return found + mark.count }
      at = found + 1
    }
    return nil
  }
}
