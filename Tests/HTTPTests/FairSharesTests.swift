import Records
import Routing
import Testing

/// Nobody takes all, and who is alone is hardly bounded.
@Suite struct FairSharesTests {
  static func tenant(_ name: String) -> ShareHolder { .tenant(Tenant(realm: .native, name: name)) }

  /// How many of `total` each of the holders gets, one after the other, who take all they can.
  static func greedy(_ count: Int, of total: Int, share: Double) throws -> [Int] {
    let shares = try #require(FairShares(share: share))
    var left = total
    return (0..<count).map { number in
      var taken = 0
      while left > 0, shares.tryTake(1, for: [tenant("t\(number)")], left: left) {
        left -= 1
        taken += 1
      }
      return taken
    }
  }

  @Test func thereIsRoomForWhoeverComesNext() throws {
    #expect(try Self.greedy(4, of: 1000, share: 0.75) == [750, 187, 47, 12])
    #expect(try Self.greedy(3, of: 1000, share: 0.5) == [500, 250, 125])
    #expect(FairShares(share: 1) == nil, "all may be taken: nobody is counted")
  }

  @Test func aRequestCountsForItsTenantAndItsAddress() throws {
    let shares = try #require(FairShares(share: 0.5))
    let holders = [Self.tenant("a"), ShareHolder.address("192.0.2.1")]
    #expect(shares.tryTake(50, for: holders, left: 100))
    #expect(!shares.tryTake(1, for: [Self.tenant("b"), .address("192.0.2.1")], left: 50), "the address")
    #expect(!shares.tryTake(1, for: [Self.tenant("a"), .address("192.0.2.2")], left: 50), "the tenant")
    #expect(shares.tryTake(1, for: [Self.tenant("b"), .address("192.0.2.2")], left: 50), "nothing was kept")
    shares.give(back: 50, of: holders)
    #expect(shares.tryTake(49, for: holders, left: 99))
  }

  @Test func aFewAreAlwaysLetIn() throws {
    let shares = try #require(FairShares(share: 0.5, floor: 2))
    #expect(shares.tryTake(1, for: [Self.tenant("a")], left: 2))
    #expect(shares.tryTake(1, for: [Self.tenant("a")], left: 1))
    #expect(!shares.tryTake(1, for: [Self.tenant("a")], left: 1))
  }

  /// Whoever has an address of IPv6 has 2^64 of them.
  @Test(arguments: [
    ("2001:db8::1", "2001:db8::ffff:1", true), ("2001:db8:0:0:1::", "2001:db8::1:0:0:0", true),
    ("2001:db8:0:1::1", "2001:db8::1", false), ("::1", "::2", true), ("fe80::1", "fe81::1", false),
    ("192.0.2.1", "192.0.2.2", false), ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
  ]) func networksAreOneAddress(left: String, right: String, isSame: Bool) {
    #expect((ShareHolder.address(left) == .address(right)) == isSame)
  }

  /// Names that Swift takes for equal text are not the same tenant.
  @Test func holdersAreToldApartByBytes() {
    #expect(Self.tenant("caf\u{E9}") != Self.tenant("cafe\u{301}"))
    #expect(Self.tenant("BANK") != Self.tenant("BAN\u{212A}"))
    #expect(Self.tenant("a") != .tenant(Tenant(realm: .audit, name: "a")))
  }

  /// One tenant's bodies leave room for another's, and all that was taken is given back.
  @Test func bodiesLeaveRoomForOthers() {
    let budget = UploadBudget(bytesMax: 1000, share: 0.5)
    func hold(_ tenant: String, _ address: String) -> UploadHold {
      UploadHold(of: budget, tenant: Tenant(realm: .native, name: tenant), address: address)
    }
    var greedy = (0..<20).map { hold("greedy", "192.0.2.\($0)") }
    var taken = 0
    for index in greedy.indices { while greedy[index].take(10) { taken += 10 } }
    #expect((500...510).contains(taken))
    var other = hold("other", "192.0.2.200")
    let isThereRoom = other.take(200)
    #expect(isThereRoom)
    other.giveBack()
    for index in greedy.indices { greedy[index].giveBack() }
    #expect(budget.usedBytes == 0)
    var again = hold("greedy", "192.0.2.1")
    let isGivenBack = again.take(450)
    #expect(isGivenBack, "alone it has its share again")
    again.giveBack()
  }
}
