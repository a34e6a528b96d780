import NIOCore
import Routing

/// Looks at the first bytes of a connection for HTTP/2's preface (RFC 9113, §3.4), which clients send that
/// know without asking: gRPC's. Then `upgrade` makes the connection one of HTTP/2; else everything stays as
/// it is. Leaves the pipeline either way.
final class PriorKnowledge: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
  // Safe because: all state is touched on the channel's event loop only.
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// As much of the preface as no request of HTTP/1.1 begins with.
  private static let mark = Array("PRI * HTTP/2".utf8)

  private let upgrade: () -> EventLoopFuture<Void>
  /// The first bytes, while they may be a preface's, and until the connection is one of HTTP/2.
  private var held: ByteBuffer?
  private var isUpgrading = false

  init(upgrade: @escaping () -> EventLoopFuture<Void>) { self.upgrade = upgrade }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if var held {
      held.writeBuffer(&bytes)
      bytes = held
    }
    held = bytes
    guard !isUpgrading else { return }
    let view = bytes.readableBytesView
    guard
      view.elementsEqual(PriorKnowledge.mark.prefix(view.count))
        || view.starts(with: PriorKnowledge.mark)
    else { return leave(context, bytes) }
    guard view.count >= PriorKnowledge.mark.count else { return }
    isUpgrading = true
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    upgrade().whenComplete { result in
      guard case .success = result, let bytes = self.held else { return bound.value.close(promise: nil) }
      self.leave(bound.value, bytes)
      bound.value.fireChannelReadComplete()
    }
  }

  private func leave(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
    held = nil
    context.fireChannelRead(wrapInboundOut(bytes))
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    // Nothing was handed on that would ask for more.
    if held != nil, !isUpgrading { context.read() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if let held, !isUpgrading { leave(context, held) }
    context.fireChannelInactive()
  }
}
