import Foundation
import Logging
import Testing

@testable import CordwoodLogging

/// What is sent again, when, and what is not.
@Suite(.timeLimit(.minutes(60))) struct RetryTests {
  @Test func aRepeatHasTheSameKeyAndBody() async throws {
    let bench = Bench([
      .answer(TransportAnswer(status: 503)), .brokenConnection, .answer(TransportAnswer(status: 408)),
    ])
    bench.logger.info("one")
    await bench.interval()
    await bench.transport.untilRequests(1)
    bench.logger.info("two: not in the batch that is under way")
    // Half of half a second is certain, and the chance is a half: 3/4 of 0.5, 1 and 2 seconds.
    for delay in [375, 750, 1_500] {
      await bench.time.untilSomebodySleeps(for: .milliseconds(delay))
      bench.time.advance(by: .milliseconds(delay))
    }
    await bench.transport.untilRequests(4)
    await bench.interval()
    await bench.transport.untilRequests(5)
    let requests = bench.transport.requests
    #expect(requests[..<4].allSatisfy { $0 == requests[0] })
    #expect(requests[4].key != requests[0].key)
    #expect(requests[0].key.utf8.count <= 255 && requests[0].key.utf8.allSatisfy { 0x21...0x7E ~= $0 })
    #expect(
      try JSONLines.parse(requests[4].body).map { $0["message"] as? String } == [
        "two: not in the batch that is under way"
      ])
    #expect(bench.complaints.count == 1, "a line a minute: \(bench.complaints)")
  }

  @Test func retryAfterIsHonoured() async {
    let bench = Bench([.answer(TransportAnswer(status: 429, retryAfterSeconds: 17))])
    bench.logger.info("one")
    await bench.interval()
    await bench.time.untilSomebodySleeps(for: .milliseconds(17_250))
    #expect(bench.transport.requests.count == 1)
    bench.time.advance(by: .milliseconds(17_250))
    await bench.transport.untilRequests(2)
  }

  @Test func aRefusedBatchIsCountedAndTold() async throws {
    let bench = Bench([.answer(TransportAnswer(status: 401))])
    bench.logger.info("lost")
    await bench.interval()
    await bench.transport.untilRequests(1)
    #expect(await bench.log.flush())
    #expect(bench.log.counts.refusedCount == 1)
    #expect(bench.complaints.count == 1)
    #expect(bench.complaints.first?.contains("status=401") == true)
    bench.logger.info("next")
    #expect(await bench.log.flush())
    let records = try JSONLines.parse(bench.transport.requests[1].body)
    #expect(records.count == 2)
    #expect(records[1]["message"] as? String == "log records were lost")
    #expect((records[1]["metadata"] as? [String: Any])?["lost_records"] as? Int == 1)
    #expect(bench.log.counts.storedCount == 1)
  }

  @Test func whatTheServerLeavesOutIsCounted() async {
    let bench = Bench([.answer(TransportAnswer(status: 201, rejectedCount: 1))])
    bench.logger.info("one")
    bench.logger.info("two")
    #expect(await bench.log.flush())
    #expect(bench.log.counts.storedCount == 1 && bench.log.counts.refusedCount == 1)
  }

  @Test func itGivesUpBeforeTheServerForgetsTheKey() async {
    var options = CordwoodLogOptions()
    options.giveUpAfter = .seconds(1)
    let bench = Bench(
      [.brokenConnection, .answer(TransportAnswer(status: 507)), .brokenConnection], options: options)
    bench.logger.info("one")
    await bench.interval()
    await bench.time.untilSomebodySleeps(for: .milliseconds(375))
    bench.time.advance(by: .milliseconds(375))
    // 375 and 750 ms would be more than the second.
    await bench.transport.untilRequests(2)
    #expect(await bench.log.flush())
    #expect(bench.log.counts.abandonedCount == 1)
    bench.logger.info("two")
    await bench.interval()
    await bench.transport.untilRequests(3)
    #expect(bench.transport.requests[2].key != bench.transport.requests[1].key)
  }

  @Test(
    arguments: [
      (nil, .retry(afterSeconds: 0)), (200, .settle(.stored(rejectedCount: 0))),
      (201, .settle(.stored(rejectedCount: 0))), (301, .settle(.refused)), (400, .settle(.refused)),
      (401, .settle(.refused)), (404, .settle(.refused)), (408, .retry(afterSeconds: 0)),
      (413, .settle(.refused)), (422, .settle(.refused)), (429, .retry(afterSeconds: 0)),
      (500, .retry(afterSeconds: 0)), (501, .settle(.refused)), (502, .retry(afterSeconds: 0)),
      (503, .retry(afterSeconds: 0)), (504, .retry(afterSeconds: 0)), (507, .retry(afterSeconds: 0)),
    ] as [(Int?, RetryPolicy.Decision)])
  func everyStatusIsDecided(status: Int?, decision: RetryPolicy.Decision) {
    #expect(RetryPolicy().decide(status.map { TransportAnswer(status: $0) }) == decision)
  }

  @Test func delaysDoubleUpToABound() {
    let policy = RetryPolicy()
    let delays = (1...100).map { policy.delay(attemptCount: $0, retryAfterSeconds: 0, chance: 1) }
    #expect(delays[0] == .milliseconds(500) && delays[1] == .seconds(1) && delays[2] == .seconds(2))
    #expect(delays.max() == .seconds(30))
    #expect(policy.delay(attemptCount: 1, retryAfterSeconds: 0, chance: 0) == .milliseconds(250))
    #expect(policy.delay(attemptCount: 1, retryAfterSeconds: .max, chance: 0) == .seconds(300))
    #expect(policy.delay(attemptCount: 1, retryAfterSeconds: .min, chance: 0) == .milliseconds(250))
  }

  @Test(arguments: [
    ("{\"accepted\":2,\"rejected\":17,\"errors\":[]}", 17), ("{\"accepted\":2}", 0), ("", 0),
    ("\"rejected\":", 0), ("{\"rejected\":99999999999999999999}", 0), ("\"\"\"rejected\":3", 3),
  ])
  func theAnswerIsRead(answer: String, count: Int) {
    #expect(HTTPTransport.rejectedCount(Array(answer.utf8)) == count)
  }

  @Test(arguments: ["http://h:8000", "http://h:8000/", "http://h:8000//"])
  func theAddressMayEndWithASlash(server: String) {
    #expect(HTTPTransport.url(server) == "http://h:8000/v1/records/logs?on_error=skip")
  }
}
