import Glibc

/// How much memory there is for this process.
package enum MachineMemory {
  /// Of the machine, or of the narrowest cgroup (v1 or v2) that the process is in, where that is less.
  package static var bytes: Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let machine = pages > 0 ? pages * sysconf(Int32(_SC_PAGESIZE)) : 1 << 30
    return min(machine, limit(of: text(of: "/proc/self/cgroup")) { text(of: $0) } ?? machine)
  }

  /// The lowest limit of the cgroups that `membership` names, as `/proc/self/cgroup` does, and of those above
  /// them; nil: there is none.
  ///
  /// - Parameter read: The text of a file; nil where there is none.
  static func limit(of membership: String?, _ read: (String) -> String?) -> Int? {
    var limits: [Int] = []
    for line in (membership ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isSecond = parts[1].isEmpty
      guard isSecond || parts[1].split(separator: ",").contains("memory") else { continue }
      let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let file = isSecond ? "memory.max" : "memory.limit_in_bytes"
      var path = parts[2].split(separator: "/")
      while true {
        let folder = ([root] + path.map(String.init)).joined(separator: "/")
        // "max", and what v1 says for none, are no numbers below the machine's memory.
        if let text = read(folder + "/" + file), let limit = Int(text.filter { $0 != "\n" }), limit > 0 {
          limits.append(limit)
        }
        if path.popLast() == nil { break }
      }
    }
    return limits.min()
  }

  private static func text(of path: String) -> String? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}
