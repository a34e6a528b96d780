import Platform
import Routing
import Testing

@Suite struct TrustedProxiesTests {
  private static let cases: [(sent: [String], from: String, client: String)] = [
    // Who is no proxy is the client, whatever he writes.
    (["198.51.100.7"], "203.0.113.1", "203.0.113.1"),
    ([], "10.1.2.3", "10.1.2.3"),
    (["198.51.100.7"], "10.1.2.3", "198.51.100.7"),
    (["198.51.100.7"], "::ffff:10.1.2.3", "198.51.100.7"),
    // What stands before the first that is no proxy was written by it.
    (["192.0.2.9, 198.51.100.7"], "10.1.2.3", "198.51.100.7"),
    (["192.0.2.9", "198.51.100.7, 10.9.9.9"], "10.1.2.3", "198.51.100.7"),
    (["192.0.2.9, 198.51.100.7", "fd00::5"], "fd00::1", "198.51.100.7"),
    // Proxies alone: the first of them asks for itself.
    (["10.9.9.9, 10.8.8.8"], "10.1.2.3", "10.9.9.9"),
    // What a proxy wrote and is no address: it is that proxy that is known.
    (["unknown"], "10.1.2.3", "10.1.2.3"), (["192.0.2.9, unknown, 10.9.9.9"], "10.1.2.3", "10.9.9.9"),
    (["192.0.2.9, 1\u{301}.1.1.1"], "10.1.2.3", "10.1.2.3"), ([" , ,"], "10.1.2.3", "10.1.2.3"),
    (["198.51.100.7:4711"], "10.1.2.3", "198.51.100.7"),
    (["[2001:db8::7]:4711"], "10.1.2.3", "2001:db8::7"), (["[2001:db8::7]"], "10.1.2.3", "2001:db8::7"),
    ([String(repeating: "10.0.0.1,", count: 7000) + "10.0.0.2"], "10.1.2.3", "10.0.0.1"),
  ]

  @Test(arguments: cases) func theLastThatIsNoProxyIsTheClient(
    sent: [String], from peer: String, client: String
  ) throws {
    let proxies = try #require(TrustedProxies(["10.0.0.0/8", "fd00::/8"]))
    let fields = HeaderFields(sent.map { ("x-forwarded-for", $0) })
    let head = RequestHead(.get, "/", headers: fields)
    #expect(proxies.contains(peer) ? proxies.client(of: head, from: peer) == client : peer == client)
    #expect(!TrustedProxies().contains(peer))
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "1.2.3.4", true),
    ("0.0.0.0/0", "::1", false), ("::/0", "1.2.3.4", true), ("192.0.2.1", "::ffff:192.0.2.1", true),
    ("192.0.2.1/32", "192.0.2.2", false), ("2001:db8::/33", "2001:db8:7fff::1", true),
    ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::/96", "2001:db8::1:0:1", false),
    ("2001:db8::/127", "2001:db8::1", true), ("2001:db8::/127", "2001:db8::2", false),
  ]) func networksHaveTheirAddresses(network: String, address: String, isIn: Bool) throws {
    #expect(try #require(IPNetwork(network)).contains(#require(IPAddress(address))) == isIn)
  }

  @Test(arguments: [
    "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1/8", "::/129", "10",
    "10.0.0", "localhost", "10.0.0.0/08x", "2001:db8::1/64", "fe80::1%eth0", "10.0.0.0\u{0}", "1.2.3.4 ",
  ]) func slipsAreNoNetworks(text: String) { #expect(IPNetwork(text) == nil) }
}
