import Foundation
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@testable import CordwoodLogging

/// The whole of it but for the network.
@Suite(.timeLimit(.minutes(60))) struct CordwoodLogTests {
  @Test func aBatchGoesWhenItsIntervalIsOver() async throws {
    let bench = Bench()
    bench.logger.info("one")
    bench.logger.info("two")
    await bench.time.untilSomebodySleeps(for: .seconds(1))
    bench.time.advance(by: .milliseconds(999))
    #expect(bench.transport.requests.isEmpty)
    bench.time.advance(by: .milliseconds(1))
    await bench.transport.untilRequests(1)
    #expect(try bench.transport.records().map { $0["message"] as? String } == ["one", "two"])
  }

  @Test func aFullBatchGoesAtOnce() async throws {
    var options = CordwoodLogOptions()
    options.batchBytesMax = 32 << 10
    let bench = Bench(options: options)
    let logger = bench.logger
    for number in 0..<400 { logger.info("message \(number)") }
    await bench.transport.untilRequests(1)
    let bytes = bench.transport.requests[0].body.count
    #expect(bytes <= 32 << 10 && bytes > 31 << 10)
    #expect(await bench.log.flush())
    let messages = try bench.transport.records().compactMap { $0["message"] as? String }
    #expect(messages == (0..<400).map { "message \($0)" })
    #expect(bench.log.counts.storedCount == 400)
  }

  @Test func aServerThatDoesNotAnswerStopsNobody() async throws {
    var options = CordwoodLogOptions()
    options.bufferBytesMax = 64 << 10
    options.batchBytesMax = 4 << 10
    let bench = Bench([.stuck], options: options)
    let logger = bench.logger
    for number in 0..<10_000 { logger.info("message \(number)") }
    await bench.transport.untilRequests(1)
    let counts = bench.log.counts
    #expect(counts.loggedCount == 10_000)
    #expect(counts.waitingBytes <= 64 << 10)
    #expect(counts.droppedCount > 0 && counts.droppedCount + counts.waitingCount == 10_000)
    bench.transport.release()
    #expect(await bench.log.flush())
    let told = try bench.transport.records().compactMap { record in
      (record["metadata"] as? [String: Any])?["lost_records"] as? Int
    }
    #expect(told.reduce(0, +) == bench.log.counts.droppedCount)
    #expect(bench.log.counts.storedCount == counts.waitingCount)
  }

  @Test func manyCallersLoseNothing() async throws {
    let bench = Bench()
    await withTaskGroup(of: Void.self) { group in
      for caller in 0..<8 {
        group.addTask {
          var logger = bench.logger
          logger[metadataKey: "caller"] = .stringConvertible(caller)
          for number in 0..<1_000 { logger.info("m", metadata: ["number": .stringConvertible(number)]) }
        }
      }
    }
    #expect(await bench.log.flush())
    let records = try bench.transport.records()
    #expect(records.count == 8_000)
    var next = Array(repeating: 0, count: 8)
    for record in records {
      let members = try #require(record["metadata"] as? [String: Any])
      let caller = try #require(members["caller"] as? Int)
      #expect(members["number"] as? Int == next[caller], "in the order of each caller")
      next[caller] += 1
    }
  }

  @Test func aFlushHasALimit() async {
    let bench = Bench([.stuck])
    bench.logger.info("one")
    async let isFlushed = bench.log.flush(within: .seconds(3))
    await bench.transport.untilRequests(1)
    await bench.time.untilSomebodySleeps(for: .seconds(3))
    bench.time.advance(by: .seconds(3))
    #expect(await isFlushed == false)
    bench.transport.release()
    #expect(await bench.log.flush())
  }

  @Test func theShutdownSendsWhatIsLeft() async throws {
    let bench = Bench()
    bench.logger.info("last words")
    await bench.log.shutdown()
    #expect(try bench.transport.records().count == 1)
    bench.logger.info("too late")
    #expect(bench.log.counts.droppedCount == 1 && bench.log.counts.storedCount == 1)
    await bench.log.shutdown()
    #expect(bench.complaints.isEmpty)
  }

  @Test func theShutdownHasALimit() async {
    let bench = Bench([.stuck])
    bench.logger.info("one")
    async let end: Void = bench.log.shutdown()
    await bench.transport.untilRequests(1)
    bench.logger.info("two")
    await bench.time.untilSomebodySleeps(for: .seconds(10))
    bench.time.advance(by: .seconds(10))
    await end
    #expect(bench.log.counts.abandonedCount == 2 && bench.log.counts.waitingCount == 0)
    #expect(bench.complaints == ["log records were not sent before the end: records=2"])
    bench.transport.release()
  }

  @Test func aGracefulShutdownFlushes() async throws {
    let bench = Bench()
    await testGracefulShutdown { trigger in
      async let end: Void = bench.log.run()
      bench.logger.info("last words")
      trigger.triggerGracefulShutdown()
      await end
    }
    #expect(try bench.transport.records().count == 1)
  }

  @Test func aCancelledServiceFlushes() async throws {
    let bench = Bench()
    let service = Task { await bench.log.run() }
    bench.logger.info("last words")
    service.cancel()
    await service.value
    #expect(try bench.transport.records().count == 1)
  }

  @Test func theProviderIsAsked() async throws {
    let bench = Bench()
    let provider = Logger.MetadataProvider { ["trace_id": "t-1", "request": "r-1"] }
    // As LoggingSystem.bootstrap takes it.
    let factory: @Sendable (String, Logger.MetadataProvider?) -> any LogHandler = bench.log.handler
    let logger = Logger(label: "a") { factory($0, provider) }
    logger.info("one")
    #expect(await bench.log.flush())
    let record = try #require(try bench.transport.records().first)
    #expect(record["trace_id"] as? String == "t-1")
    #expect((record["metadata"] as? [String: Any])?["request"] as? String == "r-1")
  }

  /// The program's own code runs while a record is made, and no lock of ours is held then.
  @Test func aDescriptionMayLog() async throws {
    struct Talkative: CustomStringConvertible, Sendable {
      let logger: Logger
      var description: String {
        logger.info("inner")
        return "outer"
      }
    }
    let bench = Bench()
    bench.logger.info("m", metadata: ["value": .stringConvertible(Talkative(logger: bench.logger))])
    #expect(await bench.log.flush())
    #expect(try bench.transport.records().count == 2)
  }
}
