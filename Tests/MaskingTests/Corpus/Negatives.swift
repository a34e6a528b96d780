import TestKit

/// Texts without a secret, many of them about secrets, made from templates: no text of anybody's logs.
enum Negatives {
  static let templates = plain + aboutSecrets + addresses + code + numbers

  static let plain = [
    "{time} INFO {host} started in {number} ms",
    "GET /{word}/{number}?page={number}&sort=desc 200 {number}ms",
    "10.0.0.{number} - - \"POST /api/{word} HTTP/1.1\" 201 {number} \"-\" \"curl/8.5.0\"",
    "{word}={number} {word}={lower8} {word}=true",
    "level=info ts={time} caller=main.go:{number} msg=\"{word} done\" dur={number}ms",
    "connection from {ip} port {number} closed",
    "Accepted publickey for {person} from {ip} port {number} ssh2",
    "kernel: [{number}.{number}] usb 1-1: new device",
    "user {person} logged in from {ip}", "{word} {number} failed: deadline exceeded after {number} ms",
    "{\"level\":\"warn\",\"{word}\":{number},\"host\":\"{host}\"}",
    "{\"id\":\"{uuid}\",\"status\":\"ok\",\"took\":{number}}",
    "java.lang.IllegalStateException: {word} is closed at com.example.{word}.Main.run(Main.java:{number})",
    "  at Object.<anonymous> (/app/src/{word}.js:{number}:{number})",
    "Duplicate entry '{number}' for key 'PRIMARY'",
    "INSERT INTO {word} (id, name, created) VALUES ({number}, 'x', NOW())",
    "SELECT * FROM {word} WHERE key = '{word}' LIMIT {number}",
    "Received block blk_{digits19} of size {number} from /{ip}",
    "cache key={word}:{number} hit ratio 0.{number}",
    "partition key: {word}, sort key: {word}", "routing_key={word}.{word} exchange=events",
    "commit {hex40} by ci",
    "image sha256:{hex64} pulled in {number} ms", "etag \"{hex32}\" unchanged",
    "trace_id={hex32} span_id={hex16} sampled=1",
    "request {uuid} took {number} us", "Set volume {number}%, pinned={number} spinning up",
    "mapping: {word} option: {number}",
    "shipping: {number} opinion: good", "compass: {number} bypass: false",
    "passing={number} failed={number} skipped={number}",
    "pass={number} fail={number}", "tests: pass: {number}, fail: {number}",
    "author: {person} authority={word}",
  ]

  static let aboutSecrets = [
    "password changed for user {person}", "Failed password for {person} from {ip} port {number} ssh2",
    "Failed password for invalid user {person} from {ip}", "password: required",
    "password: must be at least {number} characters",
    "Invalid token: expired {number} seconds ago", "token expired", "unexpected token: '{lower2}'",
    "Unexpected token < in JSON at position {number}",
    "tokens={number} max_tokens={number}", "prompt_tokens: {number}, completion_tokens: {number}",
    "next_token={url40}",
    "page_token: {alpha24}", "continuation_token={base40}", "token_count={number} token_type=bearer",
    "secret not found: {word}",
    "secret \"{word}-tls\" not found in namespace {word}", "secretName: {word}-tls",
    "imagePullSecrets: [{word}]",
    "password_reset_sent=true for {person}", "has_password=true password_age_days={number}",
    "password_hash_algorithm=bcrypt",
    "password=null", "password=\"\"", "password='' retry", "password=****", "password=[FILTERED]",
    "password=<redacted>", "token=***",
    "{\"password\":\"****\"}", "{\"password\":null,\"token\":null}", "\"password\":\"[REDACTED]\"",
    "api_key=${API_KEY}", "password=$DB_PASSWORD",
    "--password-file=/run/secrets/{word}", "--token-ttl 24h", "password=%s user=%s",
    "password: {{ .Values.password }}", "enter password:",
    "The password is incorrect", "password and token are required", "username/password authentication failed",
    "use of API key is deprecated",
    "api key missing", "api_key: missing", "api_key_id={number}", "access key {word} rotated",
    "access_key_id: none", "secret_version={number}",
    "Authorization: required", "authorization failed for {person}", "Authorization header is missing",
    "authorization: denied by policy",
    "proxy-authorization: none", "session opened for user {person} by (uid=0)", "session_id: none",
    "session id mismatch", "sessions={number}",
    "Establishing session 0x{hex15} with timeout {number}", "sessionid:0x{hex14} type:createSession",
    "cookie consent: accepted",
    "cookies enabled: true", "Set-Cookie header too long", "auth=ok", "auth: none", "authentication=plain",
    "auth_method=oidc", "oauth: true",
    "credentials: include", "credential expired", "credential provider: {word}", "bearer of news",
    "Bearer token missing", "Basic authentication failed",
    "basic auth disabled", "Basic plan upgraded", "WWW-Authenticate: Basic realm=\"{word}\"",
    "private key loaded from /etc/ssl/{word}.pem",
    "public_key={base43}", "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB{base40}\n-----END PUBLIC KEY-----", "pin={digits2}",
    "gpio pin: {digits2} high", "otp required", "otp: required", "PIN pad connected", "sign in with SSO",
    "sig=short", "signature=valid",
    "PWD=/home/{person}", "OLDPWD=/var/lib/{word}", "jwt: malformed", "JWT expired", "csrf token mismatch",
    "csrf_token: invalid",
  ]

  static let addresses = [
    "https://{host}:8443/{word}?page={number}", "http://{ip}:{number}/{word}/{number}.png",
    "ssh://{host}:22/srv/{word}",
    "postgres://{host}:5432/{word}?sslmode=require", "redis://{host}:6379/{number}",
    "s3://{word}-{number}/{word}/part-{number}.parquet",
    "file:///var/log/{word}.log", "grpc://{host}:{number}", "upstream: \"http://{ip}:{number}/{word}\"",
    "jdbc:postgresql://{host}:5432/{word}",
    "amqp://{person}@{word}:5672", "https://hooks.example.com/services/{word}",
    "wss://{host}/live?room={number}", "package @{word}/{word}@{number}.0.1",
    "npm install {word}@^1.2.{number}", "mailto link clicked",
    "Server={host};Database={word};Integrated Security=true",
  ]

  static let code = [
    "if password == None: raise ValueError", "const token = getToken();", "let secret = process.env.SECRET",
    "password = input()",
    "def login(user, password):", "func auth(token string) error {", "token := r.Header.Get(name)",
    "self.api_key = None", "password: String",
    "password: str = Field(...)", "\"required\":[\"username\",\"password\"]",
    "columns: id, name, password, created_at", "type Token struct {",
    "SELECT id, password FROM users", "UPDATE users SET password = ? WHERE id = ?",
    "WHERE token = $1 AND expires > $2", "password: :secret_value",
    "key: value", "key = {word}", "keys: {word}, {word}", "export PATH=/usr/bin:/bin",
    "task-{number} sk-eleton disk-{number} risk-free",
    "{word}-key-{number} monkey={word} keyboard: us", "npm_config_cache=/root/.npm",
    "hf_{word} gl{word} dapi{word}", "GLOBALS: {number}",
    "shpat_short SG.short sk-short xoxb", "grok-{number} r8_{word}", "AKIA is a prefix",
    "eyJ is how they begin", "age-{number} pages",
  ]

  static let numbers = [
    "{uuid}", "{hex40}", "sha1={hex40} size={number}", "md5 {hex32}", "digest=sha256:{hex64}",
    "build {hex7} of {word}", "0x{hex16}", "{time}",
    "checksum {base43}=", "X-Request-Id: {hex32}", "x-amz-id-2: {base60}", "ETag: W/\"{hex16}-{hex8}\"",
    "fingerprint SHA256:{base43}",
    "uid={number}({person}) gid={number}", "mac 02:42:{hex2}:{hex2}:{hex2}:aa",
    "fe80::{hex4}:{hex4}:{hex4}:{hex4}", "v{number}.{number}.{number}-rc1",
    "offset={digits12} lag={number}", "latency p50={number} p99={number}",
    "pid={number} tid={number} cpu={digits2}", "{digits9}:{number}",
  ]

  /// `rounds` texts of each template.
  static func make(seed: UInt64, rounds: Int) -> [String] {
    var writer = CorpusWriter(seed: seed)
    return (0..<rounds).flatMap { round in
      templates.map { template in
        let text = writer.text(template)
        return round % 2 == 0 ? text : writer.text(writer.pick(Positives.frames)).replacing("§", with: text)
      }
    }
  }
}
