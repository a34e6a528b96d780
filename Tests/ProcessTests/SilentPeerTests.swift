import Testing

/// Half-open connections: a suite of its own, since waiting is all it does.
@Suite struct SilentPeerTests {
  /// One that does stays. Takes 20 seconds, which is how long a client may take for its answer.
  @Test func aPeerThatNeverPongsIsClosed() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["server.heartbeat_seconds=1"])
      silent, alive = (Socket(server.port, "/ws/stream", timeout=60) for _ in range(2))
      began, heard = time.monotonic(), []

      def answer():
          try:
              while True:
                  heard.append(alive.next(heartbeats=True))
          except Closed as closed:
              heard.append(closed)

      thread = threading.Thread(target=answer)
      thread.start()
      try:
          while True:
              silent.frame()
      except (Closed, ConnectionResetError):
          pass
      assert 20 <= time.monotonic() - began < 60, time.monotonic() - began
      until(lambda: server.subscribers() == 1, server.subscribers)
      until(lambda: heard[-1]["active_connections"] == 1, lambda: heard[-1])
      server.stop()
      thread.join(60)
      assert heard[-1].args == (1001, "the server stops"), heard[-1].args
      """#)
  }
}
