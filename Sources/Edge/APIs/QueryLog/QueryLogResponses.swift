import Access
import Codecs
import Records
import Routing

/// The bodies and messages of the query-log API.
enum QueryLogResponses {
  static func token(_ login: QuerySessions.Login) -> HTTPAnswer {
    .object { text in
      text.member("access_token", login.token)
      text.member("token_type", "bearer")
      if !login.isKept { text.member("warning", UnkeptWarning.text) }
    }
  }

  /// - Parameter token: nil: the entry is not what it was.
  static func verification(of id: String, token: String?) -> HTTPAnswer {
    .object { text in
      text.member("log_id", id)
      text.name("verification")
      text.beginObject()
      text.name("valid")
      text.value(token != nil)
      text.member("verification_token", token)
      text.member(
        "error", token == nil ? "Hash verification failed - log may have been tampered with" : nil)
      text.endObject()
    }
  }

  /// The first message of `/ws/logs`.
  static func listing(_ objects: [UInt8], count: Int, _ request: QueryStreamRequest) -> [UInt8] {
    JSONWriter.object { text in
      text.member("type", "logs_response")
      text.member("user_filter", request.user)
      text.member("limit", request.limit)
      text.member("offset", request.offset)
      text.member("count", count)
      text.name("logs")
      text.array(of: objects)
    }
  }

  /// - Parameter now: Nanoseconds since 1970; shown in UTC without saying so, as it always was.
  static func heartbeat(now: Int64, connections: Int) -> [UInt8] {
    JSONWriter.object { text in
      text.member("type", "heartbeat")
      text.time("timestamp", now, zone: "")
      text.member("active_connections", connections)
    }
  }

  /// What the streams are and how to ask for them.
  static func streams(host: String) -> HTTPAnswer {
    func endpoint(
      _ text: inout JSONWriter, _ name: StaticString, _ path: String, _ about: String,
      _ parameters: [(StaticString, String)], example: String
    ) {
      text.name(name)
      text.beginObject()
      text.member("url", "ws://\(host)\(path)")
      text.member("description", about)
      text.name("parameters")
      text.beginObject()
      for (name, about) in parameters { text.member(name, about) }
      text.endObject()
      text.member("example", "ws://\(host)\(path)?\(example)")
      text.endObject()
    }
    // Word for word what clients of this API have always been told, where it is true.
    return .object { text in
      text.name("websocket_endpoints")
      text.beginObject()
      endpoint(
        &text, "logs", "/ws/logs", "Live log retrieval with pagination and real-time updates",
        [
          ("user_id", "Optional - Filter logs by user"),
          ("limit", "Optional - Number of logs to return (default: 100)"),
          ("offset", "Optional - Offset for pagination (default: 0)"),
        ], example: "user_id=test_user&limit=50&offset=0")
      endpoint(
        &text, "stream", "/ws/stream", "Real-time log stream only (no initial data)",
        [("user_id", "Optional - Filter real-time updates by user")], example: "user_id=test_user")
      text.endObject()
      text.name("message_types")
      text.beginObject()
      text.member("logs_response", "Initial logs with metadata and pagination info")
      text.member("heartbeat", "Connection keep-alive with connection count")
      text.member("initial_logs", "Initial batch data from stream endpoint")
      text.member(
        "log_entry",
        "Real-time log updates with full log data (id, user_id, query, status, timestamp, hash)")
      text.endObject()
      text.name("testing")
      text.beginObject()
      text.member("browser", "Visit /api/v1/websocket-docs for interactive testing")
      text.member("javascript", "Use WebSocket API: new WebSocket('ws://\(host)/ws/logs')")
      text.member("python", "Use websocket_client.py script for command-line testing")
      text.endObject()
    }
  }

  /// A page that opens the streams: for a first look, and to see what a filter lets through.
  static let page = HTTPAnswer.page(
    Array(
      """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><title>Live query log</title></head>
      <body>
      <h1>Live query log</h1>
      <p><code>WS /ws/logs?user_id&amp;limit&amp;offset</code> begins with a page of the newest records,
      <code>WS /ws/stream?user_id</code> has new ones only. Both take <code>?token=</code> where a token is needed,
      and both are Server-Sent Events to a request with <code>Accept: text/event-stream</code>.</p>
      <form id="form">
      <select id="path"><option>/ws/logs</option><option>/ws/stream</option></select>
      <input id="user" placeholder="user_id"> <input id="token" placeholder="token"> <button>Connect</button>
      </form>
      <pre id="out"></pre>
      <script nonce="page">
      let socket;
      const out = document.getElementById("out");
      const value = id => document.getElementById(id).value;
      document.getElementById("form").addEventListener("submit", event => {
        event.preventDefault();
        if (socket) socket.close();
        out.textContent = "";
        const url = new URL(value("path"), location.href.replace(/^http/, "ws"));
        if (value("user")) url.searchParams.set("user_id", value("user"));
        if (value("token")) url.searchParams.set("token", value("token"));
        const show = text => { out.textContent = (text + "\n" + out.textContent).slice(0, 100000); };
        socket = new WebSocket(url);
        socket.onmessage = message => show(message.data);
        socket.onclose = close => show("closed: " + close.code + " " + close.reason);
      });
      </script>
      </body>
      </html>

      """.utf8), policy: "script-src 'nonce-page'; connect-src 'self' ws: wss:")
}
