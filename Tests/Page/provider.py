"""A provider of OpenID Connect: signs in whom it is told to, and checks what a provider checks."""

import base64
import hashlib
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import urllib.parse


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *arguments], input=input, check=True, capture_output=True).stdout


class Provider:
    """On a free port of this machine.

    `claims` lie over the usual, `refuses` is an error that it sends back.
    """

    client, secret = "cordwood", "a secret of ours"

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cordwood-provider-")
        self.key = str(pathlib.Path(self.folder.name) / "key.pem")
        openssl("genrsa", "-out", self.key, "2048")
        shown = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode()
        self.modulus = bytes.fromhex(shown.strip().split("=")[1])
        self.claims, self.refuses, self.codes = {}, None, {}
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                provider.get(self)

            def do_POST(self):
                provider.post(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        self.folder.cleanup()

    def settings(self, port):
        return {
            "oidc.issuer": self.url,
            "oidc.client_id": self.client,
            "oidc.client_secret": self.secret,
            "oidc.redirect_url": f"http://127.0.0.1:{port}/ui/v1/oidc/callback",
            "oidc.title": "the staff's directory",
        }

    @staticmethod
    def answer(request, value, status=200):
        body = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def get(self, request):
        path, _, query = request.path.partition("?")
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys"}
            return self.answer(
                request, {"issuer": self.url, **{name: self.url + path for name, path in names.items()}}
            )
        if path == "/keys":
            key = {"kty": "RSA", "kid": "1", "use": "sig", "n": text(self.modulus), "e": "AQAB"}
            return self.answer(request, {"keys": [key]})
        asked = dict(urllib.parse.parse_qsl(query))
        if path != "/auth" or asked.get("client_id") != self.client:
            return self.answer(request, {"error": "invalid_request"}, 400)
        code = text(hashlib.sha256(query.encode()).digest())
        self.codes[code] = asked
        back = {"state": asked["state"], "session_state": "x"}
        back.update({"error": self.refuses} if self.refuses else {"code": code})
        request.send_response(302)
        request.send_header("Location", asked["redirect_uri"] + "?" + urllib.parse.urlencode(back))
        request.send_header("Content-Length", "0")
        request.end_headers()

    def post(self, request):
        form = request.rfile.read(int(request.headers["Content-Length"])).decode()
        given = dict(urllib.parse.parse_qsl(form))
        pair = f"{self.client}:{urllib.parse.quote(self.secret)}".encode()
        if request.headers["Authorization"] != "Basic " + base64.b64encode(pair).decode():
            return self.answer(request, {"error": "invalid_client"}, 401)
        # Once.
        asked = self.codes.pop(given.get("code"), None)
        challenge = text(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        known = asked or {}
        if known.get("code_challenge") != challenge or known["redirect_uri"] != given["redirect_uri"]:
            return self.answer(request, {"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": self.client,
            "sub": "1",
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            "email": "ada@example.com",
            "email_verified": True,
            **self.claims,
        }
        self.answer(request, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(claims)})

    def token(self, claims):
        head = {"alg": "RS256", "kid": "1"}
        signed = ".".join(text(json.dumps(part).encode()) for part in (head, claims))
        return signed + "." + text(openssl("dgst", "-sha256", "-sign", self.key, input=signed.encode()))
