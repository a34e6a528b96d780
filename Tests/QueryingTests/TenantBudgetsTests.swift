import Records
import Testing

@testable import Querying

struct TenantBudgetsTests {
  static func tenant(_ name: String) -> Tenant { Tenant(realm: .native, name: name) }

  /// Whatever one tenant holds, others find an eighth.
  @Test func oneTenantLeavesAnEighth() throws {
    let whole = MemoryBudget(bytesMax: 800)
    let budgets = TenantBudgets(of: whole)
    let first = MemoryReservation(of: budgets.budget(of: Self.tenant("a")))
    let second = MemoryReservation(of: budgets.budget(of: Self.tenant("a")))
    try first.take(400)
    try second.take(300)
    #expect(throws: StoreError.self) { try second.take(1) }
    let other = MemoryReservation(of: budgets.budget(of: Self.tenant("b")))
    try other.take(100)
    #expect(throws: StoreError.self) { try other.take(1) }
    #expect(whole.bytesUsed == 800)
  }

  /// Tenants that hold nothing are forgotten.
  @Test func theIdleAreForgotten() {
    let budgets = TenantBudgets(of: MemoryBudget(bytesMax: 800))
    for number in 0..<10_000 { _ = budgets.budget(of: Self.tenant("\(number)")) }
    #expect(budgets.count <= 64)
  }
}
