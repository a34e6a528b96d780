import Testing

/// Plain lines against the real program.
@Suite struct UploadTests {
  @Test func linesAndObjectsAreStored() throws {
    try LiveScript.run(
      CollectorTests.asking
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
