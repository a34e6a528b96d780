import TestKit

/// Texts with a secret in them, made from templates: no text of anybody's logs.
enum Positives {
  struct Sample {
    let text: String
    let secret: String
  }

  /// What may stand around a secret.
  static let frames = [
    "§", "{time} INFO {host} §", "[{word}-{number}] §", "§ ({number} ms)", "WARN §; retry in {number} ms",
    "{\"level\":\"info\",\"msg\":\"x\"} §", "ü §", "{person}: §",
  ]

  /// A template with `§` for the secret, and how the secret looks.
  static let templates: [(String, String)] = names + headers + addresses + statements + documents + tokens

  static let names: [(String, String)] = [
    ("password=§", "{password}"), ("password: §", "{password}"), ("user={person} pwd=§", "{password}"),
    ("passwd:§", "{password}"), ("PASSWORD=§ retry={number}", "{password}"),
    ("db_password = '§'", "{password}"),
    ("DB_PASS=§", "{password}x"), ("userPassword=\"§\"", "{password}"),
    ("spring.datasource.password=§", "{password}"),
    ("passphrase=§", "{lower8}{digits4}"), ("secret_key=§", "{alpha40}"),
    ("aws_secret_access_key = §", "{base40}"),
    ("api_key=§", "{alpha32}"), ("apiKey: §", "{hex32}"), ("X-API-Key: §", "{alpha24}1"),
    ("access_token=§", "{url43}"),
    ("refresh_token=§&scope=a", "{url43}"), ("client_secret=§", "{alpha32}"), ("token=§", "{hex32}"),
    ("auth_token: §", "{alpha20}7"),
    ("--password §", "{password}"), ("mysql --password=§ -u {person}", "{password}"),
    ("--api-key §", "{alpha24}"),
    ("pin=§", "{digits4}"), ("otp: §", "{digits6}"), ("cvv=§", "{digits3}"),
    ("ssn=§", "{digits3}-{digits2}-{digits4}"),
    ("session_id=§", "{hex32}"), ("PHPSESSID=§", "{alpha20}1"), ("jwt=§", "{url40}"),
    ("encryption_key=§", "{base44}"),
    ("password2=§", "{password}"), ("password_confirmation=§", "{password}"),
    ("password => '§'", "{password}"),
    ("config.password := \"§\"", "{password}"), ("env: SECRET_KEY_BASE DJANGO_SECRET_KEY=§", "{alpha50}"),
    ("credentials: §", "{alpha24}1"),
  ]

  static let headers: [(String, String)] = [
    ("Authorization: Basic §", "dXNlcjp{base20}"), ("authorization: Token §", "{hex40}"),
    ("Authorization: Bearer §", "{url40}"),
    ("Authorization: §", "{hex40}"), ("Proxy-Authorization: Basic §", "{base24}"),
    ("-H 'Authorization: ApiKey §'", "{base40}"),
    ("Authorization: Digest username=\"{person}\", response=\"§\"", "{hex32}"),
    ("Authorization: AWS4-HMAC-SHA256 Credential=AK/2026/eu/s3/aws4_request, Signature=§", "{hex64}"),
    ("Set-Cookie: sid=§; Path=/; HttpOnly; Secure", "{alpha32}"),
    ("Cookie: theme=dark; session=§", "{url40}"),
    ("cookie: _app_session=§; lang=de", "{url60}"), ("headers={'Cookie': 'a=b; token=§'}", "{alpha24}"),
    ("auth Basic §", "YWRtaW46{base12}"), ("X-Auth-Token: §", "{hex32}"), ("x-vault-token: §", "{alpha26}"),
  ]

  static let addresses: [(String, String)] = [
    ("postgres://{person}:§@{host}:5432/app", "{password}"),
    ("redis://:§@{host}:6379/0", "{lower6}{digits3}"),
    ("amqp://{person}:§@{host}/%2f", "{alpha16}"),
    ("mongodb+srv://{person}:§@{host}/db?retryWrites=true", "{alpha16}"),
    ("GET https://{host}/cb?access_token=§&state=x 200", "{url43}"),
    ("/login?user={person}&password=§", "{password}"),
    ("POST /x?pwd=§&next=%2F", "{alpha9}"), ("https://{person}:§@{host}/p", "{lower4}{digits2}"),
    ("{person}:§@tcp({host}:3306)/orders", "{password}"),
    ("git clone https://§@github.com/a/b", "{alpha30}9"),
    ("https://x.blob.core.windows.net/c?sv=2026&sig=§", "{alpha43}%3D"), ("api_key=§&q=a", "{hex32}"),
    ("Server={host};Database=a;User Id={person};Password=§;", "{password}"),
    ("Uid={person};Pwd=§;Encrypt=yes", "{password}"),
    ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=§;EndpointSuffix=x", "{base86}=="),
    ("Endpoint=sb://a/;SharedAccessKeyName=k;SharedAccessKey=§", "{base43}="),
    ("https://hooks.slack.com/services/§", "T{upper8}/B{upper8}/{alpha24}"),
    ("jdbc:mysql://{host}/a?user={person}&password=§", "{password}"),
    ("ftp://{person}:§@{host}", "{password}"),
    ("user%5Bpassword%5D=§&commit=x", "{lower6}{digits4}"),
    ("{\"url\":\"https://u:§@{host}/\"}", "{alpha12}"),
  ]

  static let statements: [(String, String)] = [
    ("CREATE USER {person} IDENTIFIED BY '§'", "{password}"),
    ("ALTER USER {person} WITH PASSWORD '§'", "{password}"),
    ("CREATE ROLE {person} LOGIN ENCRYPTED PASSWORD '§'", "md5{hex32}"),
    ("UPDATE users SET password = '§' WHERE id = {number}", "{password}"),
    ("SELECT * FROM users WHERE name = '{person}' AND password='§'", "{password}"),
    ("ALTER USER 'x'@'%' IDENTIFIED WITH mysql_native_password BY '§'", "{password}"),
    ("SET api_key = '§'", "{hex32}"),
    ("CREATE USER MAPPING OPTIONS (user 'x', password '§')", "{password}"),
  ]

  static let documents: [(String, String)] = [
    ("body {\"user\":\"{person}\",\"password\":\"§\"}", "{password}"), ("{\"token\": \"§\"}", "{alpha24}"),
    ("{\\\"password\\\":\\\"§\\\",\\\"a\\\":1}", "{password}"),
    ("{\\\\\\\"api_key\\\\\\\":\\\\\\\"§\\\\\\\"}", "{hex32}"),
    ("{'client_secret': '§'}", "{alpha32}"), ("{\"pin\":\"§\"}", "{digits4}"), ("{\"pin\":§}", "{digits4}"),
    ("{\"password\":[\"§\"]}", "{password}"), ("<password>§</password>", "{password}"),
    ("<ApiKey>§</ApiKey>", "{hex32}"),
    ("[{\"name\":\"Authorization\",\"value\":\"Basic §\"}]", "{base24}"),
    ("[{\"name\": \"X-Api-Key\", \"value\": \"§\"}]", "{hex32}"),
    ("{\\\"name\\\":\\\"Cookie\\\",\\\"value\\\":\\\"a=§\\\"}", "{alpha24}"),
    ("(\"Authorization\", \"Token §\")", "{hex40}"),
    ("{\"session_id\":\"§\"}", "{hex32}"), ("User(name='x', password='§')", "{password}"),
    ("-----BEGIN RSA PRIVATE KEY-----\n§\n-----END RSA PRIVATE KEY-----", "{base64}"),
    ("key: -----BEGIN PRIVATE KEY-----\\n§\\n-----END PRIVATE KEY-----\\n", "{base64}"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\n§", "{base64}"),
    ("{\"private_key\":\"-----BEGIN EC PRIVATE KEY-----\\n§\"}", "{base64}"),
    ("password: \"§\" # changed", "{password}"), ("{\"auth\":{\"secret\":\"§\"}}", "{alpha16}"),
  ]

  static let tokens: [(String, String)] = [
    "ghp_{alpha36}", "gho_{alpha36}", "github_pat_{alpha22}_{alpha59}", "glpat-{url20}",
    "xoxb-{digits12}-{digits12}-{alpha24}",
    "xapp-1-A{upper10}-{digits13}-{hex64}", "sk_live_{alpha24}", "rk_live_{alpha24}", "whsec_{alpha32}",
    "npm_{alpha36}",
    "pypi-AgEIcHlwaS5vcmc{url80}", "sk-{alpha48}", "sk-proj-{url48}", "sk-ant-api03-{url90}AA",
    "SG.{url22}.{url43}",
    "SK{hex32}", "key-{hex32}", "dop_v1_{hex64}", "hf_{alpha34}", "AIza{alpha35}", "ya29.{url60}",
    "GOCSPX-{alpha28}",
    "AKIA{upper16}", "shpat_{hex32}", "sq0atp-{url22}", "EAAA{url60}", "dapi{hex32}", "hvs.{alpha90}",
    "AGE-SECRET-KEY-1{upper58}", "{digits9}:AA{alpha33}", "gsk_{alpha52}", "r8_{alpha37}",
    "glsa_{alpha32}_{hex8}",
    "sbp_{hex40}", "lin_api_{alpha40}", "figd_{alpha40}", "ATATT3{alpha180}", "dckr_pat_{alpha27}",
    "tskey-auth-{alpha17}-{alpha32}",
    "PMAK-{hex24}-{hex34}", "NRAK-{upper27}", "ntn_{digits11}{alpha35}", "xkeysib-{hex64}-{alpha16}",
    "eyJhbGciOiJIUzI1NiJ9.{url40}.{url43}", "pscale_tkn_{alpha43}", "glrt-{url20}",
  ].flatMap { [("§", $0), ("using §", $0), ("\"§\",", $0), ("sent §.", $0)] }

  /// `rounds` samples of each template.
  static func make(seed: UInt64, rounds: Int) -> [Sample] {
    var writer = CorpusWriter(seed: seed)
    return (0..<rounds).flatMap { _ in
      templates.map { template, shape in
        let secret = writer.text(shape)
        let inner = writer.text(template).replacing("§", with: secret)
        return Sample(text: writer.text(writer.pick(frames)).replacing("§", with: inner), secret: secret)
      }
    }
  }
}
