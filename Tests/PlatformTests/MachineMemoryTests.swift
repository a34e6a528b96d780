import Testing

@testable import Platform

@Suite struct MachineMemoryTests {
  private static let files = [
    "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
    "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000000\n",
    "/sys/fs/cgroup/system.slice/x.service/memory.max": "max\n",
    "/sys/fs/cgroup/system.slice/memory.max": "500000\n",
    "/sys/fs/cgroup/memory.max": "700000\n",
  ]

  /// The narrowest of a group and those around it, of both versions.
  @Test func theNarrowestGroupCounts() {
    let cases: [(String?, Int?)] = [
      (nil, nil), ("", nil), ("garbage", nil), ("0::/elsewhere\n", 700_000),
      ("0::/system.slice/x.service\n", 500_000), ("5:cpu:/a\n4:memory:/a/b\n", 1_000_000),
      ("4:cpu,memory:/a/b\n0::/system.slice\n", 500_000), ("4:memory:/none\n", nil),
    ]
    for (text, expected) in cases {
      #expect(MachineMemory.limit(of: text) { Self.files[$0] } == expected, "\(text ?? "-")")
    }
  }

  @Test func thereIsSome() { #expect(MachineMemory.bytes > 1 << 20) }
}
