import Records
import Testing

@Suite struct MemoryBudgetTests {
  @Test func whatIsTakenOfAShareIsTakenOfTheWhole() throws {
    let whole = MemoryBudget("memory.bytes_max", bytesMax: 100)
    let one = MemoryBudget("one", bytesMax: 80, within: whole)
    let other = MemoryBudget("other", bytesMax: 80, within: whole)
    try one.take(70)
    #expect(whole.bytesUsed == 70 && other.bytesLeft == 30)
    #expect(throws: StoreError.memoryExhausted("one (80 bytes) is used up")) { try one.take(11) }
    #expect(throws: StoreError.memoryExhausted("memory.bytes_max (100 bytes) is used up")) {
      try other.take(31)
    }
    #expect(whole.bytesUsed == 70 && one.bytesUsed == 70 && other.bytesUsed == 0)
    #expect(one.refusalCount == 1 && other.refusalCount == 1 && whole.refusalCount == 1)
    try other.take(30)
    one.give(back: 70)
    #expect(whole.bytesUsed == 30 && one.bytesLeft == 70)
  }

  @Test func whatIsHeldAlreadyCountsBeyondTheBound() {
    let whole = MemoryBudget("memory.bytes_max", bytesMax: 100)
    let share = MemoryBudget("share", bytesMax: 50, within: whole)
    share.charge(120)
    #expect(share.bytesLeft == 0 && whole.bytesLeft == 0)
    #expect(!whole.tryTake(1))
    share.give(back: 120)
    #expect(whole.tryTake(100))
  }

  @Test func aReservationGivesBackWhenItGoes() throws {
    let budget = MemoryBudget("b", bytesMax: 100)
    do {
      let held = MemoryReservation(of: budget)
      try held.take(60)
      #expect(throws: StoreError.self) { try held.take(50) }
      held.charge(50)
      held.give(back: 20)
      #expect(held.byteCount == 90 && budget.bytesUsed == 90)
    }
    #expect(budget.bytesUsed == 0)
  }

  /// Whoever lends gives back before anybody is refused; what it cannot give is refused as before.
  @Test func whatIsLentIsGivenBackInNeed() throws {
    let whole = MemoryBudget("whole", bytesMax: 100)
    let lent = MemoryBudget("lent", bytesMax: 80, within: whole)
    let other = MemoryBudget("other", bytesMax: 100, within: whole)
    lent.onShortage { bytes in lent.give(back: min(bytes, lent.bytesUsed)) }
    lent.charge(80)
    #expect(lent.wholeHasLeft(20) && !lent.wholeHasLeft(21))
    try other.take(50)
    #expect(lent.bytesUsed == 50 && whole.bytesUsed == 100 && whole.refusalCount == 0)
    try other.take(50)
    #expect(lent.bytesUsed == 0 && whole.bytesUsed == 100)
    #expect(!other.tryTake(1) && whole.bytesUsed == 100 && other.bytesUsed == 100)
  }

  /// What a tenant was refused, its kind was.
  @Test func refusalsOfAPartByTheSameNameAreTheWholes() {
    let all = MemoryBudget("all", bytesMax: 100)
    let kind = MemoryBudget("kind", bytesMax: 80, within: all)
    let tenant = MemoryBudget("kind", bytesMax: 70, within: kind)
    #expect(!tenant.tryTake(71))
    #expect(tenant.refusalCount == 1 && kind.refusalCount == 1 && all.refusalCount == 0)
    kind.charge(20)
    #expect(!tenant.tryTake(65))
    #expect(tenant.refusalCount == 2 && kind.refusalCount == 2 && all.refusalCount == 0)
    all.charge(60)
    #expect(!tenant.tryTake(30))
    #expect(tenant.refusalCount == 3 && kind.refusalCount == 3 && all.refusalCount == 1)
  }

  /// Many at once never hold more than there is, and in the end nothing.
  @Test func manyAtOnce() async {
    let whole = MemoryBudget("whole", bytesMax: 1_000)
    let shares = (0..<4).map { MemoryBudget("\($0)", bytesMax: 600, within: whole) }
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          let share = shares[task % 4]
          for size in 1..<2_000 where share.tryTake(size % 400) { share.give(back: size % 400) }
        }
      }
    }
    #expect(whole.bytesUsed == 0 && shares.allSatisfy { $0.bytesUsed == 0 })
  }
}
