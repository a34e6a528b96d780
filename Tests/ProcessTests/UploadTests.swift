import Foundation
import Testing

/// Plain lines, and systemd's journal, against the real program.
@Suite struct UploadTests {
  /// Where the programs of systemd's journal are.
  static let programs = ProcessInfo.processInfo.environment["CORDWOOD_SYSTEMD"] ?? "/lib/systemd"
  static let uploader = programs + "/systemd-journal-upload"

  private static let world =
    CollectorTests.asking
      + #"""
      def entry(number, cursor=True):
          told = f"__CURSOR=s=8b74;i={number:x};b=0123;m=3e8;t=65f2;x=84a3\n" if cursor else ""
          text = (f"{told}__REALTIME_TIMESTAMP={1793491200123456 + number}\n_BOOT_ID=0123\n"
                  f"PRIORITY={number % 8}\nSYSLOG_IDENTIFIER=shop\n_HOSTNAME=vm\n").encode()
          if number % 7:
              return text + b"MESSAGE=n%d %s\n\n" % (number, b"x" * 300)
          value = b"n%d\nmore" % number
          return text + b"MESSAGE\n" + struct.pack("<Q", len(value)) + value + b"\n\n"

      class Upload:
          """A request as systemd-journal-upload sends it: chunks, once the server lets it go on."""

          def __init__(self, server, key=KEY):
              self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
              pair = base64.b64encode(b"any:" + key.encode()).decode()
              self.socket.sendall(
                  f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Basic {pair}\r\n"
                  "User-Agent: systemd-journal-upload 252.39-1~deb12u2\r\n"
                  "Content-Type: application/vnd.fdo.journal\r\nTransfer-Encoding: chunked\r\n"
                  "Accept: text/plain\r\nExpect: 100-continue\r\n\r\n".encode())
              self.file = self.socket.makefile("rb")
              self.status = int(self.file.readline().split()[1])
              assert self.file.readline() == b"\r\n" or self.status != 100

          def send(self, data, size=65524):
              for start in range(0, len(data), size):
                  piece = data[start:start + size]
                  self.socket.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")

          def end(self):
              self.socket.sendall(b"0\r\n\r\n")
              return self.answer()

          def answer(self):
              status = int(self.file.readline().split()[1])
              fields = http.client.parse_headers(self.file)
              text = self.file.read(int(fields["Content-Length"]))
              self.socket.close()
              return status, text

      def numbers(server):
          found = rows(server, columns=["message"], limit=100000)
          return [int(re.match(r"n(\d+)", row["message"]).group(1)) for row in found]

      """#

  /// A request longer than all that is let in of a body is stored as it comes; who sends it again after the
  /// server died stores nothing twice.
  @Test func aJournalIsStoredAsItComes() throws {
    try LiveScript.run(
      UploadTests.world
        + #"""
        small = {"CORDWOOD_LIMITS_BODY_BYTES_MAX": "2000000"}
        server = serve(environment=small)
        server.wanted = server.port
        journal = b"".join(entry(number) for number in range(20000))
        assert len(journal) > 6_000_000
        upload = Upload(server)
        assert upload.status == 100
        upload.send(journal[:5_000_000])
        until(lambda: len(numbers(server)) > 8000, "the pieces are there")
        server.kill()
        server.start()
        kept = len(numbers(server))
        assert kept > 8000, kept
        for size in [65524, 4096]:
            upload = Upload(server)
            upload.send(journal, size)
            assert upload.end() == (200, b"OK.\n")
            found = numbers(server)
            assert sorted(found) == list(range(20000)), (len(found), len(set(found)))
        row = next(row for row in rows(server, limit=100000) if row["message"] == "n14\nmore")
        assert (row["level"], row["service"], row["labels"]) == ("INFO", "shop", {"_HOSTNAME": "vm"}), row
        assert row["timestamp"].startswith("2026-11-01T00:00:00.12347"), row
        assert server.metric("cordwood_upload_bytes") == 0
        # What is refused: the sentence is the body.
        assert Upload(server, "nope").status == 401
        assert Upload(server, READER).status == 403
        upload = Upload(server)
        upload.send(b"MESSAGE=a\nMESSAGE\n")
        status, text = upload.end()
        assert status == 400 and b"within a field" in text, (status, text)
        upload = Upload(server)
        upload.send(b"MESSAGE=" + b"x" * 1_900_000)
        try:
            upload.send(b"x" * 1_900_000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        status, text = upload.answer()
        assert status == 413, (status, text)
        # Bytes that say nothing of which they are may be sent twice.
        for _ in range(2):
            upload = Upload(server)
            upload.send(entry(30000, cursor=False))
            assert upload.end()[0] == 200
        assert numbers(server).count(30000) == 2
        server.stop()
        """#)
  }

  /// The uploader itself, of a journal that its counterpart made.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: uploader), "there is no uploader here"))
  func theUploaderIsAnswered() throws {
    try LiveScript.run(
      UploadTests.world
        + #"""
        PROGRAMS = os.environ.get("CORDWOOD_SYSTEMD", "/lib/systemd")
        server = serve()
        export = FOLDER + "/export.txt"
        with open(export, "wb") as file:
            for number in range(5000):
                file.write(entry(number, cursor=False).replace(
                    b"_BOOT_ID=0123\n", b"__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n" % (number, b"01" * 16)))
        made = f"{FOLDER}/made.journal"
        subprocess.run(
            [PROGRAMS + "/systemd-journal-remote", "-o", made, export], check=True, capture_output=True)

        def upload(key):
            return subprocess.run(
                [PROGRAMS + "/systemd-journal-upload", "--file=" + made, "--follow=no",
                 f"--save-state={FOLDER}/state", f"--url=http://any:{key}@127.0.0.1:{server.port}"],
                capture_output=True, timeout=60)

        assert upload("nope").returncode == 1 and not os.path.exists(FOLDER + "/state")
        done = upload(KEY)
        assert done.returncode == 0, done.stderr
        assert b"LAST_CURSOR=" in open(FOLDER + "/state", "rb").read()
        assert sorted(numbers(server)) == list(range(5000)), len(numbers(server))
        os.remove(FOLDER + "/state")
        assert upload(KEY).returncode == 0
        assert len(numbers(server)) == 5000
        server.stop()
        """#)
  }

  @Test func linesAndObjectsAreStored() throws {
    try LiveScript.run(
      UploadTests.world
        + #"""
        server = serve()

        def send(body, type=None, path="/insert", headers={}):
            headers = {"Authorization": "Bearer " + KEY, **headers}
            if type:
                headers["Content-Type"] = type
            status, text, fields = server.ask("POST", path, body, headers)
            return status, json.loads(text), fields

        for type in [None, "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"]:
            path = "/insert?service=shop&env=p&host=h&level=err"
            status, answer, _ = send("one\r\n\n{\"a\":1}\n", type, path)
            assert (status, answer) == (200, {"accepted": 2}), answer
        for type in ["x-ndjson", "jsonl", "json", "x-jsonlines"]:
            type = "application/" + type
            body = gzip.compress(b'{"msg":"m","lvl":"warn"}\n{"msg":"m","time":1764504000}\n')
            status, answer, _ = send(body, type, headers={"Content-Encoding": "gzip"})
            assert (status, answer) == (200, {"accepted": 2}), answer
        assert send('[{"msg":"m"}]', "application/json")[1] == {"accepted": 1}
        found = rows(server)
        assert len(found) == 17, len(found)
        line = next(row for row in found if row["message"] == "one")
        assert (line["level"], line["service"], line["env"], line["labels"]) == (
            "ERROR", "shop", "p", {"host": "h"}), line
        # Whole or not at all, unless told otherwise.
        bad = '{"msg":"good"}\n{"msg":}\n{"msg":"good"}\n'
        status, answer, fields = send(bad, "application/x-ndjson")
        assert status == 400 and answer["entry"] == 1, answer
        assert fields["Content-Type"] == "application/problem+json"
        assert len(rows(server)) == 17
        status, answer, _ = send(bad, "application/x-ndjson", "/insert?on_error=skip")
        assert status == 200 and (answer["accepted"], answer["rejected"]) == (2, 1), answer
        assert answer["errors"][0]["entry"] == 1, answer
        assert send("", "text/plain")[0] == 400 and send("{", "application/json")[0] == 400
        assert server.ask("POST", "/insert", "x")[0] == 401
        assert send("x", headers={"Authorization": "Bearer " + READER})[0] == 403
        server.stop()
        """#)
  }
}
