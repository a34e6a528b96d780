import Testing

/// Secrets of audit tenants on the disk of a real server.
@Suite struct SecretsAtRestTests {
  @Test func secretsAreSealedUnderAKey() throws {
    try LiveScript.run(
      #"""
      def coded(value):
          return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

      def token(secret, tenant, **names):
          claims = {"tenant": tenant, "sub": "u", "role": "admin", "aud": "logserver", "iss": "issuer",
                    "exp": int(time.time()) + 600}
          text = coded({"alg": "HS256", **names}) + "." + coded(claims)
          code = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
          return text + "." + base64.urlsafe_b64encode(code).rstrip(b"=").decode()

      def hexa():
          return "".join(random.choice("0123456789abcdef") for _ in range(64))

      OPERATOR = hexa()
      KEYS = "audit.keys=[{kid: k, secret: " + OPERATOR + ", operator: true}]"
      ENVIRONMENT = {"CORDWOOD_ADMIN_PASSWORD": "correct horse battery"}
      server = Server(sets=["environment=production", KEYS], environment=ENVIRONMENT)

      def make(key):
          status, text, _ = server.ask(
              "POST", "/api/v1/tenants", json.dumps({"name": key, "key": key}),
              {"Authorization": "Bearer " + token(OPERATOR, "ops", kid="k"),
               "Content-Type": "application/json"})
          assert status == 200, text
          return json.loads(text)["data"]["secret"]

      def holds(secret, tenant):
          headers = {"Authorization": "Bearer " + token(secret, tenant)}
          return server.ask("GET", "/api/v1/logs", headers=headers)[0]

      def bytes_of(folder):
          found = b""
          for place, _, names in os.walk(folder):
              for name in names:
                  found += open(f"{place}/{name}", "rb").read()
          return found

      def refused(*sets):
          done = subprocess.run(
              [BINARY, "serve", "--data-dir", server.data, "--port", "0", "--set", "environment=production",
               "--set", KEYS, *[word for text in sets for word in ("--set", text)]],
              env={**os.environ, **ENVIRONMENT}, capture_output=True, timeout=60)
          assert done.returncode != 0
          return done.stderr.decode() + done.stdout.decode()

      secret = make("acme")
      assert holds(secret, "acme") == 200
      server.stop()
      file = server.data + "/secrets.key"
      assert os.stat(file).st_mode & 0o777 == 0o600
      assert secret.encode() not in bytes_of(server.data)
      # With the backup comes the key.
      for words in [["backup", FOLDER + "/b", "--data-dir", server.data],
                    ["restore", FOLDER + "/b", "--data-dir", FOLDER + "/restored"]]:
          done = subprocess.run([BINARY, *words], capture_output=True)
          assert done.returncode == 0, done.stderr
      assert os.stat(FOLDER + "/restored/secrets.key").st_mode & 0o777 == 0o600
      here, server.data = server.data, FOLDER + "/restored"
      server.start()
      assert holds(secret, "acme") == 200
      server.stop()
      server.data = here
      # Without it, or with a file that others read, nothing starts.
      key = open(file).read()
      os.rename(file, FOLDER + "/kept.key")
      assert "secrets.key" in refused() and os.path.exists(file)
      os.remove(file)
      os.chmod(FOLDER + "/kept.key", 0o644)
      assert "chmod 600" in refused(f"audit.secrets_key_file={FOLDER}/kept.key")
      assert "no key" in refused("audit.secrets_key_command=echo nothing")
      assert "status 3" in refused("audit.secrets_key_command=exit 3")
      assert "set one" in refused(
          "audit.secrets_key_command=true", f"audit.secrets_key_file={FOLDER}/kept.key")
      os.chmod(FOLDER + "/kept.key", 0o600)
      server.sets.append(f"audit.secrets_key_file={FOLDER}/kept.key")
      server.start()
      assert holds(secret, "acme") == 200
      server.stop()
      # A new key, from a command; the old one behind it, once.
      new = hexa()
      server.sets[-1] = f"audit.secrets_key_command=echo {new}; cat {FOLDER}/kept.key"
      server.start()
      server.stop()
      server.sets[-1] = f"audit.secrets_key_command=echo {new}"
      server.start()
      assert holds(secret, "acme") == 200
      server.stop()
      assert secret.encode() not in bytes_of(server.data)
      """#)
  }
}
