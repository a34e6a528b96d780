import Routing

extension Endpoint {
  /// What the call came to, with the answer as it is sent.
  ///
  /// - Parameter isOnLoop: Whether this runs on an event loop: then only a short answer is compressed there.
  func answer(
    _ call: HTTPCall, through stream: ConnectionStream, compression: AnswerCompression, isOnLoop: Bool
  ) async -> Result<EndpointOutcome, Problem> {
    do throws(Problem) {
      switch try await respond(call, stream) {
      case .streamed:
        try await stream.finish()
        return .success(.streamed)
      case .answer(let answer):
        guard isOnLoop, answer.body.count > HTTPConnection.Machine.shortBodyBytes else {
          return .success(.answer(compression.apply(to: answer)))
        }
        return .success(
          .answer(
            await withTaskExecutorPreference(globalConcurrentExecutor) { compression.apply(to: answer) }))
      }
    } catch {
      return .failure(error)
    }
  }
}
