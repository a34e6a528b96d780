import Testing

/// `cordwood tail` against a server that comes and goes.
@Suite(.serialized) struct TailCommandTests {
  /// After a stop and after a crash, without gap or double.
  @Test func aServerThatComesBackIsFollowedOn() throws {
    try LiveScript.run(
      #"""
      server = Server(port=free_port())
      tail = Tail(server, "--last", "2", "--format", "json")
      text = Tail(server, "--last", "0", "--contains", "round 1")
      until(lambda: server.subscribers() == 2, server.subscribers)
      wanted = []
      for round_ in range(2):
          for number in range(10):
              wanted.append(f"round {round_} {number}")
              server.write([{"message": wanted[-1]}])
          assert tail.messages(len(wanted)) == wanted
          server.restart(hard=round_ == 1)
          wanted.append(f"after {round_}")
          server.write([{"message": wanted[-1]}])
          assert tail.messages(len(wanted)) == wanted, tail.errors
          until(lambda: server.subscribers() == 2, server.subscribers)
      assert len(text.first(10)) == 10
      # Standard error has a thread of its own here.
      until(lambda: "".join(tail.errors).count("connected again") >= 2, lambda: tail.errors)
      errors = "".join(tail.errors)
      assert errors.count("connecting again") >= 2 and errors.count("connected again") == 2, errors
      assert "the server stops" in errors, errors
      for one in tail, text:
          assert one.process.poll() is None
          one.end()
      server.stop()
      """#)
  }

  /// Of what records say, that is: a level has its colour, and NO_COLOR takes it away.
  @Test func aTerminalGetsColoursAndNoEscapes() throws {
    try LiveScript.run(
      #"""
      import pty
      server = Server()
      server.write([{"message": "a\x1b[2Jb\x07\nc", "level": "ERROR"}, {"message": "last"}])
      for colour in [True, False]:
          primary, secondary = pty.openpty()
          environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "" if colour else "1"}
          command = [BINARY, "tail", "--url", f"http://127.0.0.1:{server.port}"]
          process = subprocess.Popen(
              command, stdout=secondary, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment)
          os.close(secondary)
          text = b""
          while b"last" not in text:
              text += os.read(primary, 1 << 16)
          process.kill()
          process.wait()
          os.close(primary)
          assert b"\x07" not in text and b"\x1b[2J" not in text, text
          assert (b"\x1b[" in text) == colour, text
      server.stop()
      """#)
  }

  /// As lines or JSON; no colours where no terminal is.
  @Test func filtersChooseWhatIsShown() throws {
    try LiveScript.run(
      #"""
      server = Server()
      server.write([{
          "timestamp": f"2026-01-01T00:00:{n:02d}Z", "message": f"m{n}",
          "level": "ERROR" if n % 2 else "INFO", "service": "shop" if n < 6 else "bank",
          "metadata": {"amount": n * 50}} for n in range(12)])
      text = Tail(server, "--last", "3")
      lines = text.first(3)
      assert lines[0] == '2026-01-01T00:00:09Z ERROR bank m9 metadata={"amount":450}', lines
      full = Tail(server, "--format", "json")
      assert full.messages(10) == [f"m{n}" for n in range(2, 12)], "ten unless told"
      filters = ["--level", "ERROR", "--service", "shop", "--service", "bank"]
      filters += ["--where", "metadata.amount > 200"]
      some = Tail(server, "--last", "20", "--format", "json", *filters)
      assert some.messages(4) == ["m5", "m7", "m9", "m11"]
      live = Tail(server, "--last", "0", "--format", "json", "--contains", "special")
      filters = ["--word", "SPECIAL", "--regex", "^spec.al [0-9]+$"]
      both = Tail(server, "--last", "0", "--format", "json", *filters)
      audit = Tail(server, "audit", "--where", 'action = "delete"', "--format", "json")
      until(lambda: server.subscribers() == 6, server.subscribers)
      server.write([
          {"message": "other"}, {"message": "especially 3"}, {"message": "special 1"},
          {"message": "the end", "level": "FATAL"}])
      entries = [
          {"action": action, "resource_type": "u", "resource_id": "1", "severity": "INFO", "user_id": "x"}
          for action in ["create", "delete"]]
      server.write(entries, "audit")
      assert json.loads(audit.first(1)[0])["action"] == "delete"
      assert live.messages(2) == ["especially 3", "special 1"]
      assert both.messages(1) == ["special 1"]
      assert len(text.first(7)) == 7 and "\x1b" not in "".join(text.lines), text.lines
      for tail in text, full, some, live, both, audit:
          assert tail.process.poll() is None and not tail.errors, tail.errors
          tail.end()
      until(lambda: server.subscribers() == 0, server.subscribers)
      server.stop()
      """#)
  }

  /// With a sentence and a status where it can show nothing; quietly when nobody reads on.
  @Test func itEndsAsOneExpects() throws {
    try LiveScript.run(
      #"""
      server = Server()
      server.write([{"message": str(number)} for number in range(5)])

      def fails(words, *arguments, status=1, server=server, key=None):
          tail = Tail(server, *arguments, key=key)
          until(lambda: tail.process.poll() is not None, lambda: (arguments, tail.lines))
          until(lambda: words in "".join(tail.errors), lambda: (arguments, tail.errors))
          assert tail.process.returncode == status and not tail.lines, (arguments, tail.process.returncode)

      fails("the datasets are", "nope")
      fails("--where: character 8", "--where", "level =")
      fails("no column nosuch", "--where", "nosuch = 1")
      fails("parenthesis", "--regex", "(")
      fails("from 0 to 10000", "--last", "10001")
      fails("from 0 to 10000", "--last=-1")
      fails("xml", "--format", "xml", status=64)
      pipe = f"'{BINARY}' tail --url http://127.0.0.1:{server.port} | head -2; echo ${{PIPESTATUS[0]}}"
      process = subprocess.Popen(
          ["bash", "-c", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
      while process.poll() is None:
          server.write([{"message": "more"}])
      assert process.stdout.read().split("\n")[2:] == ["0", ""] and not process.stderr.read()
      until(lambda: server.subscribers() == 0, server.subscribers)
      keyed = Server("keyed", environment={
          "CORDWOOD_ENVIRONMENT": "production", "CORDWOOD_ADMIN_PASSWORD": "correct horse battery"})

      def keys(*arguments):
          command = [BINARY, "keys", *arguments, "--data-dir", keyed.data]
          return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

      user = keys("create", "user", "--realm", "native", "--tenant", "t")
      writer = keys("create", "writer", "--realm", "native", "--tenant", "t", "--role", "writer")
      allowed = {"Authorization": "Bearer " + user}
      row = '{"message":"x"}'
      until(lambda: keyed.ask("POST", "/v1/records/logs", row, allowed)[0] == 201, "the key works")
      fails("401", server=keyed)
      fails("401", server=keyed, key="wrong")
      fails("403", server=keyed, key=writer)
      tail = Tail(keyed, "--format", "json", key=user)
      assert tail.messages(1) == ["x"]
      keys("revoke", "user")
      until(lambda: tail.process.poll() == 1, lambda: tail.errors)
      until(lambda: "401" in "".join(tail.errors), lambda: tail.errors)
      assert "the token is no longer valid" in "".join(tail.errors), tail.errors
      server.stop()
      keyed.stop()
      fails("connection refused", server=server)
      """#)
  }
}
