import Testing

/// GELF and Fluentd's forward protocol against the real program: from their own clients, and from peers that
/// are up to no good.
@Suite struct ListenerTests {
  private static let prelude =
    ShipperTests.asking + #"""

      import gzip, logging, msgpack, select, zlib

      def listening(form, *addresses, sets=(), **options):
          """A server with these addresses, and their ports."""
          server = Server(sets=[f'listen.{form}={json.dumps(list(addresses))}', *sets], **options)
          return server, ports(server)

      def ports(server):
          found = re.findall(r"messages for the tenant \S+ on \w+://[^ ]+?:(\d+)", server.log())
          return [int(port) for port in found]

      def wait(server, count):
          found = []
          def there():
              found[:] = rows(server)
              return len(found) >= count
          until(there, lambda: f"{len(found)} of {count}: {found[:3]} {server.log()[-2000:]}")
          assert len(found) == count, found
          return found

      def connect(port):
          return socket.create_connection(("127.0.0.1", port), timeout=30)

      class Answers:
          """What a peer is told, value by value."""

          def __init__(self, peer):
              self.peer, self.unpacker = peer, msgpack.Unpacker()

          def next(self):
              while True:
                  for value in self.unpacker:
                      return value
                  part = self.peer.recv(4096)
                  assert part, "closed"
                  self.unpacker.feed(part)

      """#

  @Test func fluentdsClientIsStored() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        from fluent import sender
        server, (port,) = listening("forward", "tcp://127.0.0.1:0")
        for precise in [False, True]:
            logger = sender.FluentSender("shop", host="127.0.0.1", port=port, nanosecond_precision=precise)
            for number in range(50):
                assert logger.emit("cart", {"message": f"order {number}", "level": "error", "n": number})
            logger.close()
        found = wait(server, 100)
        for row in found:
            assert row["level"] == "ERROR" and row["labels"] == {"tag": "shop.cart"}, row
            assert row["message"] == f"order {row['metadata']['n']}", row
            assert abs(time.time() - __import__("calendar").timegm(
                time.strptime(row["timestamp"][:19], "%Y-%m-%dT%H:%M:%S"))) < 300, row
        server.stop()
        """#)
  }

  /// What was answered is on the disk, and a repeat of it stores nothing, after `kill -9` as well.
  @Test func chunksAreAnsweredOnceTheyAreStored() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        server, (port,) = listening("forward", "tcp://127.0.0.1:0")
        now = int(time.time())

        def packed(name, *texts, how=None):
            events = b"".join(
                msgpack.packb([msgpack.ExtType(0, struct.pack(">II", now, 7)), {"log": text}])
                for text in texts)
            options = {"chunk": name, "size": len(texts)}
            if how:
                options["compressed"] = how
                # Fluent Bit joins chunks that were compressed one by one.
                events = gzip.compress(events) if how == "gzip" else events
            return msgpack.packb(["t", events, options])

        peer = connect(port)
        peer.sendall(packed("one", "a", "b"))
        assert Answers(peer).next() == {"ack": "one"}
        server.kill()
        server.start()
        port, = ports(server)
        assert sorted(row["message"] for row in rows(server)) == ["a", "b"]
        peer = connect(port)
        peer.sendall(
            packed("one", "a", "b") + packed("two", "c", how="gzip") + packed("three", "d", how="text"))
        answers = Answers(peer)
        for name in ["one", "two", "three"]:
            assert answers.next() == {"ack": name}
        peer.sendall(msgpack.packb(["t", now, {"log": "e"}]))
        found = wait(server, 5)
        assert sorted(row["message"] for row in found) == ["a", "b", "c", "d", "e"], found
        assert {row["timestamp"][20:29] for row in found if row["message"] != "e"} == {"000000007"}, found
        # Many on one connection, some of which are no events.
        for number in range(100):
            peer.sendall(msgpack.packb(["t", [[now, {"log": f"n{number}"}], 7], {"chunk": f"c{number}"}]))
        for number in range(100):
            assert answers.next() == {"ack": f"c{number}"}
        wait(server, 105)
        assert server.metric('cordwood_records_refused_total{api="forward"}') == 100
        # Metrics are no records, and their sender is not kept waiting; names may be long.
        peer.sendall(msgpack.packb(["t", [[now, {"log": "m"}]], {"chunk": "k" * 300, "fluent_signal": 1}]))
        assert answers.next() == {"ack": "k" * 300}
        server.stop()
        """#)
  }

  /// More events in a message than a request may have are stored in several steps, once.
  @Test func manyEventsInOneMessageAreStored() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        server, (port,) = listening("forward", "tcp://127.0.0.1:0", sets=["limits.entries_max=1000"])
        events = b"".join(msgpack.packb([5, {"log": f"n{number}"}]) for number in range(4500))
        message = msgpack.packb(["t", gzip.compress(events), {"compressed": "gzip", "chunk": "many"}])
        for _ in range(2):
            with connect(port) as peer:
                peer.sendall(message)
                assert Answers(peer).next() == {"ack": "many"}
        with connect(port) as peer:
            peer.sendall(msgpack.packb(["u", events]))
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(1) == b""
        found = wait(server, 9000)
        for tag in ["t", "u"]:
            messages = [row["message"] for row in found if row["labels"]["tag"] == tag]
            assert messages == [f"n{number}" for number in range(4500)], len(messages)
        server.stop()
        """#)
  }

  @Test func forwardPeersThatAreUpToNoGood() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        server, (port,) = listening(
            "forward", "tcp://127.0.0.1:0",
            sets=["server.request_seconds=2", "listen.forward_message_bytes_max=100000"])
        good = msgpack.packb(["t", 5, {"log": "good"}])
        closed = 0
        for bad in [b"\xc1", b"GET / HTTP/1.1\r\n\r\n\xc1", b"\x92\xa1t\xc6\xff\xff\xff\xff",
                    b"\x16\x03\x01\xc1\xc1", msgpack.packb(["t", b"x" * 100001])]:
            peer = connect(port)
            peer.sendall(good + bad)
            try:
                assert peer.recv(1) == b"", bad
            except ConnectionResetError:
                pass
            closed += 1
        # Messages that are none, among good ones.
        peer = connect(port)
        for bad in [None, 5, "text", [], ["t"], {"a": 1}, ["t", {}], ["t", 5], [1, 2, 3], ["t", 5, 5],
                    ["t", [[5, {"log": "x"}], [5, {"a": {"b": 1}}, 3], []]],
                    ["t", b"\x92\x05\x81\xc1", {"compressed": "gzip"}],
                    ["t", gzip.compress(b"\xc0" * 10_000_000), {"compressed": "gzip"}],
                    ["t", b"", {"compressed": "lz4"}], ["t", [[5, {"log": "signal"}]], {"fluent_signal": 1}]]:
            peer.sendall(msgpack.packb(bad) + good)
        found = wait(server, closed + 15 + 1)
        assert {row["message"] for row in found} <= {"good", "x"}, found
        # One that stops in the middle is closed.
        slow = connect(port)
        slow.sendall(good[:5])
        assert slow.recv(1) == b""
        # Who never reads its answers is not read on, and disturbs nobody.
        deaf = connect(port)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(3)
        chunk = msgpack.packb(["t", [], {"chunk": "x" * 200}])
        try:
            for _ in range(200_000):
                deaf.sendall(chunk)
        except TimeoutError:
            pass
        # It is neither read nor cut off.
        assert not select.select([deaf], [], [], 3)[0] or deaf.recv(1), "closed"
        assert server.memory() < 300 << 20, server.memory()
        peer.sendall(good)
        wait(server, closed + 17)
        server.stop()
        """#)
  }

  @Test func gelfsClientsAreStored() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        import graypy, pygelf
        server, (udp, tcp) = listening("gelf", "udp://127.0.0.1:0", "tcp://127.0.0.1:0")
        handlers = [
            pygelf.GelfUdpHandler("127.0.0.1", udp, include_extra_fields=True, _service="shop"),
            pygelf.GelfUdpHandler("127.0.0.1", udp, compress=False, chunk_size=500, include_extra_fields=True,
                                  _service="shop"),
            pygelf.GelfTcpHandler("127.0.0.1", tcp, include_extra_fields=True, _service="shop"),
            graypy.GELFUDPHandler("127.0.0.1", udp), graypy.GELFTCPHandler("127.0.0.1", tcp)]
        for number, handler in enumerate(handlers):
            logger = logging.Logger(f"l{number}")
            logger.addHandler(handler)
            logger.warning("hello é %d", number, extra={"shop": "x" * 2000})
            try:
                raise ValueError("boom")
            except ValueError:
                logger.exception("failed %d", number)
        found = wait(server, 10)
        for number in range(5):
            row, = [row for row in found if row["message"] == f"hello é {number}"]
            assert row["level"] == "WARN" and row["metadata"]["shop"] == "x" * 2000, row
            assert row["labels"].get("host"), row
            assert number > 2 or row["service"] == "shop", row
            failed, = [row for row in found if f"failed {number}" in row["message"]]
            assert failed["level"] == "ERROR" and "ValueError: boom" in json.dumps(failed), failed
        for handler in handlers:
            handler.close()
        server.stop()
        """#)
  }

  @Test func gelfPeersThatAreUpToNoGood() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        server, (udp, tcp) = listening(
            "gelf", "udp://127.0.0.1:0", "tcp://127.0.0.1:0", sets=["listen.gelf_message_bytes_max=20000"])
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        send = lambda data: sender.sendto(data, ("127.0.0.1", udp))
        chunk = lambda id, number, count, data: send(b"\x1e\x0f" + id * 8 + bytes([number, count]) + data)
        send(b'{"short_message":"plain"}')
        send(zlib.compress(b'{"short_message":"zlib"}'))
        send(gzip.compress(b'{"short_message":"gzip"}'))
        send(gzip.compress(b"x" * 10_000_000))
        send(b"\x78\x9c broken")
        send(b"no json")
        send(b"\xff\xfe\x00")
        whole = gzip.compress(b'{"short_message":"chunked"}')
        for number in [2, 0, 1]:
            chunk(b"a", number, 3, whole[number * 10:number * 10 + 10] if number < 2 else whole[20:])
        # Never whole, broken, too many.
        chunk(b"b", 0, 2, b"half")
        for bad in [(b"c", 5, 3), (b"c", 0, 0), (b"c", 0, 200)]:
            chunk(*bad, b"x")
        with connect(tcp) as peer:
            peer.sendall(
                b'{"short_message":"by tcp"}\0{"short_message":"' + b"y" * 30_000 + b'"}\0no json\0{"short')
        found = wait(server, 10)
        messages = [row["message"] for row in found]
        for text in ["plain", "zlib", "gzip", "chunked", "by tcp", "no json"]:
            assert text in messages, (text, messages)
        assert messages.count("no json") == 2, messages
        assert sum("parse_error" in row["metadata"] for row in found) == 5, found
        assert server.metric('cordwood_records_refused_total{api="gelf"}') == 2
        until(lambda: server.metric("cordwood_messages_lost_total") == 4, "what is lost is counted")
        server.stop()
        """#)
  }

  @Test func addressesThatAreNoneAreSaid() throws {
    try LiveScript.run(
      ListenerTests.prelude
        + #"""
        for form, address, words in [
            ("forward", "udp://127.0.0.1:1", "begins with tcp:// or tls://"),
            ("forward", "tcp://127.0.0.1:0?zone=UTC", "zone is of listen.syslog alone"),
            ("gelf", "http://127.0.0.1:1", "begins with udp://, tcp:// or tls://")]:
            ended = subprocess.run(
                [BINARY, "serve", "--data-dir", FOLDER + "/none", "--port", "0", "--set",
                 f'listen.{form}=["{address}"]'],
                capture_output=True, text=True, timeout=60)
            assert ended.returncode != 0 and words in ended.stderr, (address, ended.stderr)
            assert f"listen.{form}[0]" in ended.stderr, ended.stderr
        """#)
  }
}
