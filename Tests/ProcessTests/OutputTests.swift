import Testing

/// Commands whose standard output or error takes nothing: full, closed, or a pipe nobody reads.
@Suite(.serialized) struct OutputTests {
  /// `run` gives the exit status and what was said on standard error.
  private static let prelude =
    #"""
    def run(*arguments, out="full", errors=subprocess.PIPE, input=None):
        close, stdout = None, subprocess.DEVNULL
        if out == "full":
            stdout = open("/dev/full", "wb")
        elif out == "closed":
            close = lambda: os.close(1)
        elif out == "left":
            reading, stdout = os.pipe()
            os.close(reading)
        elif out == "shown":
            stdout = subprocess.PIPE
        done = subprocess.run(
            [BINARY, *arguments], stdout=stdout, stderr=errors, preexec_fn=close, text=True, cwd=FOLDER,
            input=input, timeout=60, env={**os.environ, "HOME": FOLDER})
        if out == "left":
            os.close(stdout)
        return (done.returncode, done.stderr) + ((done.stdout,) if out == "shown" else ())

    FULL = "cordwood: cannot write: No space left on device\n"
    CLOSED = "cordwood: cannot write: Bad file descriptor\n"

    def refused(*arguments, status=1):
        for out, words in [("full", FULL), ("closed", CLOSED)]:
            found = run(*arguments, out=out)
            assert found == (status, words), (arguments, out, found)
        found = run(*arguments, out="left")
        assert found == (0, ""), (arguments, "left", found)


    """#

  private static func run(_ scenario: String) throws { try LiveScript.run(prelude + scenario) }

  @Test func answersThatCannotBeWrittenAreAFailure() throws {
    try OutputTests.run(
      #"""
      server = Server()
      server.write([{"message": f"{n} " + "x" * 100, "level": "INFO"} for n in range(2000)])
      url = ["--url", f"http://127.0.0.1:{server.port}"]
      for format in "table", "json", "ndjson", "csv", "arrow", "parquet":
          refused("query", "--limit", "5000", "--format", format, *url)
      refused("query", "--count", *url)
      refused("query", "--count-by", "level", *url)
      refused("tail", "--last", "5", *url)
      refused("tail", "--last", "5", "--format", "json", *url)
      server.stop()
      """#)
  }

  @Test func localCommandsFailInWords() throws {
    try OutputTests.run(
      #"""
      server = Server()
      server.write([{"message": str(n)} for n in range(20)])
      server.archive()
      place = ["--data-dir", server.data]
      assert run("users", "add", "eve", "--password-stdin", *place, input="correct horse battery\n")[0] == 0
      refused("users", "list", *place)
      outs = [("full", "cannot write: No space"), ("closed", "cannot write: Bad"), ("left", "nobody")]
      for out, words in outs:
          status, errors = run(
              "keys", "create", out, "--realm", "native", "--tenant", "t", *place, out=out)
          assert status == 1 and errors.startswith(f"cordwood: {words}"), (out, status, errors)
          assert f"the key {out} was made but could not be shown: revoke it with" in errors, errors
          revoke = re.search("`cordwood (.*)`", errors).group(1).split()
          assert run(*revoke) == (0, f"the key {out} was revoked\n")
      refused("keys", "list", *place)
      refused("inspect", server.data)
      refused("inspect", server.data, "--files")
      server.stop()
      refused("check", server.data, status=2)
      assert run("check", server.data, out="shown")[0] == 0
      """#)
  }

  /// There is nobody to tell; but nothing crashes, and nothing is written elsewhere.
  @Test func standardErrorMayRefuseToo() throws {
    try OutputTests.run(
      #"""
      with open("/dev/full", "wb") as errors:
          assert run("inspect", FOLDER + "/none", errors=errors)[0] == 1
          assert run("query", "--url", "http://127.0.0.1:1", errors=errors)[0] == 1
      for name in "full", "closed":
          full, port = open("/dev/full", "wb"), free_port()
          close = (lambda: os.closerange(0, 3)) if name == "closed" else None
          command = [BINARY, "serve", "--data-dir", f"{FOLDER}/{name}", "--port", str(port)]
          process = subprocess.Popen(
              command, stdout=full, stderr=full, stdin=subprocess.DEVNULL, preexec_fn=close)

          def answers():
              assert process.poll() is None, (name, process.returncode)
              try:
                  connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                  connection.request("GET", "/")
                  return connection.getresponse().status == 200
              except ConnectionError:
                  return False

          until(answers, "the server answers")
          process.terminate()
          assert process.wait(20) == 0
          status, errors, text = run("check", f"{FOLDER}/{name}", out="shown")
          assert status == 0 and text.endswith(": sound\n"), (status, errors, text)
      """#)
  }

  /// 1 means damage and nothing else, whoever reads.
  @Test func theStatusOfACheckTellsDamageFromTheRest() throws {
    try OutputTests.run(
      #"""
      server = Server()
      server.write([{"message": str(n)} for n in range(20)])
      server.archive()
      status, errors = run("check", server.data)
      assert status == 2 and "in use by a server" in errors, (status, errors)
      server.stop()
      status, errors = run("check", FOLDER + "/none")
      assert status == 2 and "there is no directory" in errors, (status, errors)
      block = run("inspect", server.data, "--files", out="shown")[2].split("\n")[0]
      with open(block, "r+b") as file:
          file.seek(8)
          byte = file.read(1)
          file.seek(8)
          file.write(bytes([byte[0] ^ 1]))
      status, errors, text = run("check", server.data, out="shown")
      assert status == 1 and text.startswith("DAMAGED"), (status, errors, text)
      assert run("check", server.data) == (1, FULL)
      assert run("check", server.data, out="left") == (1, "")
      """#)
  }

  @Test func aFileOfRecordsIsReplaced() throws {
    try OutputTests.run(
      #"""
      server = Server()
      server.write([{"message": str(n)} for n in range(20)])
      head = FOLDER + "/head.arrows"
      assert run("inspect", server.data, "--arrow", head)[0] == 0
      with open(head, "rb") as file:
          first = file.read()
      with open(head, "wb") as file:
          file.write(b"x" * (len(first) + 100))
      os.symlink(head, FOLDER + "/link")
      status, errors = run("inspect", server.data, "--arrow", FOLDER + "/link")
      assert status == 0 and "20 records written" in errors, (status, errors)
      with open(head, "rb") as file:
          assert file.read() == first and os.path.islink(FOLDER + "/link")
      for path, words in [
              (FOLDER, "is no regular file"), ("/dev/full", "is no regular file"),
              (head + "/below", "Not a directory"), (FOLDER + "/none/below", "No such file or directory")]:
          status, errors = run("inspect", server.data, "--arrow", path)
          assert status == 1 and errors.endswith(words + "\n") and path in errors, (status, errors)
          assert "failed(" not in errors and "code" not in errors, errors
      assert not [name for name in os.listdir(FOLDER) if ".part" in name], os.listdir(FOLDER)
      for command in ["serve", "--port", "0"], ["users", "list"]:
          status, errors = run(*command, "--data-dir", head)
          assert status == 1 and head in errors and "error 1" not in errors, (status, errors)
      server.stop()
      """#)
  }

  @Test func linesThatWereCutAreTold() throws {
    try OutputTests.run(
      #"""
      server = Server()
      url = ["--url", f"http://127.0.0.1:{server.port}"]
      for more in [], ["--quiet"]:
          status, errors = run("import", "-", *more, *url, input="one\n" + "x" * 2_000_000 + "\nlast\n")
          words = "cordwood: standard input: 1 line is longer than 163,840 bytes and became several records;"
          assert status == 0 and words + " it starts at byte 4\n" in errors, (status, errors)
      assert run("query", "--count", *url, out="shown")[2] == "30\n"
      with open(FOLDER + "/two.log", "w") as file:
          file.write("\n".join(["y" * 163_840, "z" * 163_841, "short", "z" * 400_000, ""]))
      status, errors = run("import", FOLDER + "/two.log", *url)
      assert status == 0 and "two.log: 2 lines are longer than 163,840 bytes" in errors, (status, errors)
      assert errors.endswith("the first starts at byte 163841\n"), errors
      assert run("import", "-", *url, input="short\n")[1].count("\n") == 1
      server.stop()
      """#)
  }
}
