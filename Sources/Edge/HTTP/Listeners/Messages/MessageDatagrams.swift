import Decoding
import Logging
import NIOCore
import NIOPosix
import Routing

/// Messages over UDP: a datagram is one, as in syslog (RFC 5426), or a part of one, as in GELF.
struct MessageDatagramListening: ListenerService {
  let service: HTTPService
  let intake: any MessageIntake

  /// What the kernel may hold while messages are stored; it gives as much as `net.core.rmem_max` lets it.
  private static let kernelBytes = 8 << 20
  /// Read in one call.
  private static let datagramsPerRead = 16

  func open(_ listener: Listener, on group: any EventLoopGroup) async throws -> any Channel {
    let (service, intake) = (service, intake)
    let bootstrap = DatagramBootstrap(group: group)
      .channelOption(.socketOption(.so_rcvbuf), value: MessageDatagramListening.kernelBytes)
      .channelOption(.datagramVectorReadMessageCount, value: MessageDatagramListening.datagramsPerRead)
      .channelOption(
        .recvAllocator,
        value: FixedSizeRecvByteBufferAllocator(
          capacity: MessageDatagramListening.datagramsPerRead * 65_536)
      )
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            MessageDatagrams(service: service, intake: intake, loop: channel.eventLoop))
        }
      }
    let channel = try await bootstrap.bind(host: listener.host, port: listener.port).get()
    if let port = channel.localAddress?.port { service.metrics.countDatagrams(of: port) }
    return channel
  }
}

/// Takes datagrams as they come and stores them in batches: those that come while one is being stored wait,
/// up to a bound; beyond it they are dropped and counted, since nobody can be told.
final class MessageDatagrams: ChannelInboundHandler, LoopConnection, @unchecked Sendable {
  // Safe because: all state is touched on the channel's event loop only; tasks hop there.
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  /// Waits at most, beside what is being stored.
  private static let waitingBytesMax = 8 << 20
  /// Stored at once.
  private static let batchBytesMax = 1 << 20

  private let service: HTTPService
  private let connections: LoopConnections
  private let delivery: MessageDelivery
  private let messageBytesMax: Int
  private let countMax: Int
  private let form: MessageForm
  private var waiting: [MessageBatch] = []
  private var waitingBytes = 0
  /// Parts of messages; nil: there are none in this form.
  private var chunks: GELFChunks?
  /// It counts as a connection until what has come is stored.
  private var isCounted = false
  private var isClosed = false
  /// The last sender, and how it is written.
  private var sender: (address: SocketAddress, text: String)?

  init(service: HTTPService, intake: any MessageIntake, loop: any EventLoop) {
    self.service = service
    connections = service.connections(on: loop)
    delivery = MessageDelivery(service: service, intake: intake, address: "", loop: loop)
    messageBytesMax = intake.messageBytesMax
    countMax = intake.batchMessagesMax
    form = intake.form
    chunks = form == .gelf ? GELFChunks(messageBytesMax: messageBytesMax) : nil
  }

  func handlerAdded(context: ChannelHandlerContext) {
    delivery.whenStored = { [weak self] _ in self?.drain() }
  }

  func channelActive(context: ChannelHandlerContext) {
    isCounted = service.connectionOpened(by: [])
    connections.add(self)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    guard let whole = message(in: envelope), !whole.isEmpty else { return }
    let message = whole.prefix(messageBytesMax)
    let count = message.count + MemoryLayout<MessageBatch.Message>.stride
    guard waitingBytes + count <= MessageDatagrams.waitingBytesMax, delivery.hold(count) else {
      return service.metrics.messagesLost(1)
    }
    waitingBytes += count
    if waiting.last.map(isFull) ?? true { waiting.append(MessageBatch()) }
    waiting[waiting.count - 1].append(
      message, from: text(of: envelope.remoteAddress), isCut: whole.count > message.count)
  }

  /// What a datagram brings, or makes whole; nil: more of it is to come.
  private func message(in envelope: AddressedEnvelope<ByteBuffer>) -> ArraySlice<UInt8>? {
    let bytes = Array(buffer: envelope.data)
    guard chunks != nil else { return bytes[...].withoutLineEnd }
    guard GELFChunks.isChunk(bytes) else { return bytes[...] }
    // Without it the message is never whole, which is counted then.
    guard delivery.hold(bytes.count) else { return nil }
    let before = chunkBytes
    let now = NIODeadline.now().uptimeNanoseconds
    let outcome = chunks?.add(bytes, from: text(of: envelope.remoteAddress), now: now)
    delivery.release(before + bytes.count - chunkBytes)
    if let lost = outcome?.lostCount, lost > 0 { service.metrics.messagesLost(lost) }
    return outcome?.message?[...]
  }

  private func isFull(_ batch: MessageBatch) -> Bool {
    batch.byteCount >= MessageDatagrams.batchBytesMax || batch.messages.count >= countMax
  }

  private func text(of address: SocketAddress) -> String {
    if let sender, sender.address == address { return sender.text }
    let text = address.ipAddress ?? ""
    sender = (address, text)
    return text
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    drain()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isClosed = true
    drain()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Of one datagram, such as what an earlier answer came to: the socket stays.
    service.logger.warning(
      "a \(form.rawValue) datagram could not be read", metadata: ["detail": "\(error)"])
  }

  private func drain() {
    guard !delivery.isStoring else { return }
    guard waiting.isEmpty else {
      let batch = waiting.removeFirst()
      waitingBytes = waiting.isEmpty ? 0 : max(0, waitingBytes - batch.byteCount)
      return delivery.store(batch, keeping: waitingBytes + chunkBytes)
    }
    delivery.keep(chunkBytes)
    guard isClosed else { return }
    isClosed = false
    connections.remove(self)
    if isCounted { service.connectionClosed(by: []) }
  }

  private var chunkBytes: Int { chunks?.heldBytes ?? 0 }

  // MARK: LoopConnection

  func tick(_ now: NIODeadline) {
    let before = chunkBytes
    let lost = chunks?.expire(now: now.uptimeNanoseconds) ?? 0
    delivery.release(before - chunkBytes)
    if lost > 0 { service.metrics.messagesLost(lost) }
  }

  /// The socket is closed with the other listeners.
  func quiesce() {}

  func abandon() { delivery.abandon() }
}
