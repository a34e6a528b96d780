import Testing

/// Syslog over UDP, TCP and TLS against the real program: from `logger`, rsyslog, and peers that are up to no
/// good.
@Suite struct SyslogListenerTests {
  private static let prelude =
    ShipperTests.asking + #"""

      def listening(*addresses, sets=(), **options):
          """A server with these addresses, and their ports."""
          sets = [f'listen.syslog={json.dumps(list(addresses))}', *sets]
          server = Server(sets=sets, **options)
          ports = re.findall(r"syslog messages for .* on \w+://[^ ]+?:(\d+)", server.log())
          return server, [int(port) for port in ports]

      def wait(server, count, limit=10000):
          found = []
          def there():
              found[:] = rows(server, limit=limit)
              return len(found) >= count
          until(there, lambda: f"{len(found)} of {count}: {found[:3]} {server.log()[-2000:]}")
          assert len(found) == count, found
          return found

      def send(port, data, close=True):
          peer = socket.create_connection(("127.0.0.1", port))
          peer.sendall(data)
          if close:
              peer.shutdown(socket.SHUT_WR)
              assert peer.recv(1) == b""
              peer.close()
          return peer

      """#

  @Test func loggerAndRsyslogAreStored() throws {
    try LiveScript.run(
      SyslogListenerTests.prelude
        + #"""
        server, (udp, tcp) = listening("udp://127.0.0.1:0", "tcp://127.0.0.1:0?zone=UTC")
        run = lambda *words: subprocess.run(
            ["logger", "-n", "127.0.0.1", "-t", "shop", "-p", "local0.warning", *words], check=True)
        run("-P", str(udp), "-d", "--rfc5424", "datagram é")
        run("-P", str(udp), "-d", "--rfc3164", "old datagram")
        data = ["--sd-id", "ex@32473", "--sd-param", 'a="1"']
        run("-P", str(tcp), "-T", "--rfc5424", *data, "--msgid", "ID7", "by line")
        run("-P", str(tcp), "-T", "--rfc5424", "--octet-count", "by count")
        found = {row["message"]: row for row in wait(server, 4)}
        assert set(found) == {"datagram é", "old datagram", "by line", "by count"}, found
        for row in found.values():
            assert (row["level"], row["service"]) == ("WARN", "shop"), row
            assert row["metadata"]["facility"] == "local0" and row["metadata"]["peer"] == "127.0.0.1", row
        assert found["by line"]["metadata"]["ex@32473"] == {"a": "1"}, found
        assert found["by line"]["metadata"]["msg_id"] == "ID7", found

        # rsyslog, each of its ways.
        os.mkdir(FOLDER + "/spool")
        configuration = f'''
            global(workDirectory="{FOLDER}/spool")
            module(load="imuxsock" SysSock.Use="off")
            input(type="imuxsock" Socket="{FOLDER}/log.sock" CreatePath="on" RateLimit.Interval="0")
            action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp" TCP_Framing="octet-counted"
                   template="RSYSLOG_SyslogProtocol23Format")
            action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp")
            action(type="omfwd" target="127.0.0.1" port="{udp}" protocol="udp"
                   template="RSYSLOG_ForwardFormat")
        '''
        with open(FOLDER + "/rsyslog.conf", "w") as file:
            file.write(configuration)
        rsyslog = subprocess.Popen(
            ["rsyslogd", "-n", "-f", FOLDER + "/rsyslog.conf", "-i", FOLDER + "/rsyslog.pid"],
            preexec_fn=lambda: __import__("ctypes").CDLL(None).prctl(1, 9))
        until(lambda: os.path.exists(FOLDER + "/log.sock"), "rsyslog listens")
        local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        local.connect(FOLDER + "/log.sock")
        for number in range(100):
            local.send(b"<27>Nov 28 06:19:25 shop[42]: order %d" % number)
        found = [row for row in wait(server, 304) if row["message"].strip().startswith("order")]
        for number in range(100):
            assert len([1 for row in found if row["message"].strip() == f"order {number}"]) == 3, number
        assert {row["metadata"]["proc_id"] for row in found} == {"42"}, found[0]
        rsyslog.kill()
        rsyslog.wait()
        server.stop()
        assert "order 99" in json.dumps(found)
        """#)
  }

  @Test func overTLSWithAndWithoutCertificates() throws {
    try LiveScript.run(
      SyslogListenerTests.prelude
        + #"""
        def make(name, *more):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-keyout",
                 f"{FOLDER}/{name}.key", "-out", f"{FOLDER}/{name}.pem", "-subj", f"/CN={name}", *more],
                check=True, capture_output=True)
        make("server")
        make("client")
        make("stranger")
        server, (open_port, closed_port) = listening(
            "tls://127.0.0.1:0?tenant=open", f"tls://127.0.0.1:0?tenant=closed&client_ca={FOLDER}/client.pem",
            sets=[f"server.tls_certificate={FOLDER}/server.pem", f"server.tls_key={FOLDER}/server.key",
                  "server.request_seconds=2",
                  'native.api_keys=[{"name":"o","key":"open-open-open-open","tenant":"open","role":"reader"},'
                  '{"name":"c","key":"closed-closed-closed","tenant":"closed","role":"reader"}]'])

        def secure(port, name=None):
            context = ssl.create_default_context(cafile=FOLDER + "/server.pem")
            context.check_hostname = False
            if name:
                context.load_cert_chain(f"{FOLDER}/{name}.pem", f"{FOLDER}/{name}.key")
            return context.wrap_socket(socket.create_connection(("127.0.0.1", port)))

        def messages(key):
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
            connection.request("POST", "/v1/query", '{"dataset":"logs"}', {
                "Content-Type": "application/json", "Authorization": "Bearer " + key,
                "Accept": "application/x-ndjson"})
            text = connection.getresponse().read()
            return [json.loads(line)["message"] for line in text.splitlines()]

        peer = secure(open_port)
        # syslog-ng sends the count and the message in records of their own.
        peer.sendall(b"19 ")
        peer.sendall(b"<13>1 - - a - - - x<14>line\n")
        until(lambda: set(messages("open-open-open-open")) == {"line", "x"},
              lambda: messages("open-open-open-open"))
        peer.close()
        peer = secure(closed_port, "client")
        peer.sendall(b"<13>known\n")
        until(lambda: messages("closed-closed-closed") == ["known"], "known")
        peer.close()
        for name in [None, "stranger"]:
            try:
                peer = secure(closed_port, name)
                peer.sendall(b"<13>unknown\n")
                assert peer.recv(1) == b"", "it was let in"
            except (ssl.SSLError, ConnectionError):
                pass
        # Without a handshake: closed after a while.
        silent = socket.create_connection(("127.0.0.1", open_port))
        silent.settimeout(20)
        assert silent.recv(1) == b""
        assert messages("closed-closed-closed") == ["known"]
        server.stop()
        """#)
  }

  /// What was read is stored before more is read; what is on its way at a stop is stored.
  @Test func aStopKeepsWhatWasRead() throws {
    try LiveScript.run(
      SyslogListenerTests.prelude
        + #"""
        server, (tcp, udp) = listening("tcp://127.0.0.1:0", "udp://127.0.0.1:0")
        text = lambda peer: b"".join(b"<13>1 - - a - - - p%d-%d\n" % (peer, n) for n in range(200))
        peers = [send(tcp, text(peer), close=False) for peer in range(20)]
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(50):
            sender.sendto(b"<13>d%d" % number, ("127.0.0.1", udp))
        wait(server, 4050)
        peers[0].sendall(b"<13>last\n<13>half")
        until(lambda: any(row["message"] == "last" for row in rows(server)), "the last one")
        server.stop()
        server = Server(sets=["listen.syslog=[]"])
        found = rows(server)
        assert len(found) in [4051, 4052], len(found)
        server.stop()
        """#)
  }

  @Test func peersThatAreUpToNoGood() throws {
    try LiveScript.run(
      SyslogListenerTests.prelude
        + #"""
        server, (tcp, udp) = listening(
            "tcp://127.0.0.1:0", "udp://127.0.0.1:0",
            sets=["server.request_seconds=2", "listen.syslog_message_bytes_max=1000"])
        generator = random.Random(7)
        count = 0
        # A byte at a time, and nothing more.
        slow = socket.create_connection(("127.0.0.1", tcp))
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"<13>slow\n<13>never whole":
            slow.sendall(bytes([byte]))
        # Too long, without end, counted and not.
        send(tcp, b"<13>" + b"x" * 5000 + b"\n<13>behind\n")
        send(tcp, b"9999999999 <13>" + b"y" * 3000)
        send(tcp, b"99999 99999 99999 <13>digits\n")
        # A reset in the middle.
        reset = socket.create_connection(("127.0.0.1", tcp))
        reset.sendall(b"<13>before the reset\n")
        until(lambda: any(row["message"] == "before the reset" for row in rows(server)), "before the reset")
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reset.close()
        # zlib, HTTP, TLS, bytes.
        zlib = socket.create_connection(("127.0.0.1", tcp))
        zlib.sendall(b"\x78\xda\x01\x02\x03")
        assert zlib.recv(1) == b""
        for _ in range(20):
            send(tcp, generator.randbytes(3000))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.sendto(b"", ("127.0.0.1", udp))
        sender.sendto(b"\n", ("127.0.0.1", udp))
        sender.sendto(b"<13>" + b"z" * 60000, ("127.0.0.1", udp))
        sender.sendto(b"\xff\x00\xfe", ("127.0.0.1", udp))
        sender.sendto(b"<13>last datagram", ("127.0.0.1", udp))
        def there():
            found = [row["message"] for row in rows(server)]
            return all(any(text == message or message.startswith(text) for message in found) for text in [
                "slow", "never whole", "behind", "x" * 900, "y" * 900, "z" * 900, "last datagram",
                "before the reset"])
        until(there, lambda: [row["message"][:40] for row in rows(server)])
        found = rows(server)
        cut = [row for row in found if row["message"][:3] in ["xxx", "yyy", "zzz"]]
        assert len(cut) == 3 and all(len(row["message"]) == 996 for row in cut), cut
        assert all(row["metadata"]["truncated"] for row in cut), cut
        assert server.request("GET", "/readyz") is not None
        # Many connections that are silent cost little, and are let go at a stop.
        before = server.memory()
        many = [socket.create_connection(("127.0.0.1", tcp)) for _ in range(400)]
        for peer in many:
            peer.sendall(b"<13>part")
        until(lambda: server.metric("cordwood_connections") >= 400, "400 connections")
        assert server.memory() - before < 64 << 20, (before, server.memory())
        server.stop()
        """#)
  }

  /// A flood over UDP: what is not stored is counted, by us or by the kernel.
  @Test func aFloodIsCounted() throws {
    try LiveScript.run(
      SyslogListenerTests.prelude
        + #"""
        server, (udp,) = listening("udp://127.0.0.1:0")
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        text = b"<13>1 - - a - - - " + b"f" * 200
        for _ in range(60000):
            sender.sendto(text, ("127.0.0.1", udp))
        def counted():
            metrics = server.request("GET", "/metrics")
            def number(name):
                return sum(map(float, re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", metrics, re.M)))
            return [number(name) for name in [
                "cordwood_records_accepted_total", "cordwood_messages_lost_total",
                "cordwood_datagrams_dropped_total"]]
        until(lambda: sum(counted()) == 60000, counted)
        assert counted()[0] > 0, counted()
        server.stop()
        """#)
  }

  @Test func addressesThatAreNoneAreSaid() throws {
    try LiveScript.run(
      SyslogListenerTests.prelude
        + #"""
        for address, words in [
            ("http://127.0.0.1:1", "begins with"), ("udp://127.0.0.1", "has a host and a port"),
            ("tls://127.0.0.1:0", "needs server.tls_certificate"),
            ("udp://127.0.0.1:0?tenat=x", "there are tenant"),
            ("udp://127.0.0.1:0?tenant=", "no name"), ("udp://127.0.0.1:0?zone=Nowhere/City", "zone is"),
            ("udp://127.0.0.1:0?client_ca=/x", "of tls"), ("udp://u@127.0.0.1:0", "nothing but")]:
            ended = subprocess.run(
                [BINARY, "serve", "--data-dir", FOLDER + "/none", "--port", "0", "--set",
                 f'listen.syslog=["{address}"]'],
                capture_output=True, text=True, timeout=60)
            assert ended.returncode != 0 and words in ended.stderr, (address, ended.stderr)
            assert "listen.syslog[0]" in ended.stderr, ended.stderr
        holder = socket.socket()
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = subprocess.run(
            [BINARY, "serve", "--data-dir", FOLDER + "/none", "--port", "0", "--set",
             f'listen.syslog=["tcp://127.0.0.1:{port}"]'], capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0 and f"127.0.0.1:{port}" in ended.stderr, ended.stderr
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        ended = subprocess.run(
            [BINARY, "serve", "--data-dir", FOLDER + "/none", "--port", "0", "--set",
             f'listen.syslog=["udp://127.0.0.1:{port}"]'], capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0 and f"127.0.0.1:{port}" in ended.stderr, ended.stderr
        """#)
  }
}
