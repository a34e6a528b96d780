import Foundation
import Platform
import Records
import Testing

/// What is mapped and in memory counts as this process's; it is let go of where nobody needs it soon.
@Suite struct MappedPagesTests {
  private static let page = max(sysconf(Int32(_SC_PAGESIZE)), 4096)

  private static func file(_ directory: TemporaryDirectory, pages: Int) throws -> any File {
    let file = try LocalFileSystem().create("\(directory.path)/mapped")
    try file.write([UInt8](repeating: 7, count: pages * page).span, at: 0)
    return file
  }

  private static func sum(_ buffer: Buffer) -> Int {
    buffer.withSpan(of: UInt8.self) { span in span.indices.reduce(0) { $0 + Int(span[$1]) } }
  }

  /// They are read again; what was written meanwhile shows, and nothing is lost. What lies outside of a
  /// mapping is none of its business.
  @Test func pagesThatAreLetGoOfComeBack() throws {
    let directory = try TemporaryDirectory()
    let file = try Self.file(directory, pages: 64)
    let buffer = try file.map(16 * Self.page + 100..<64 * Self.page)
    #expect(Self.sum(buffer) == buffer.byteCount * 7)
    buffer.fileMapping?.letGo(17 * Self.page + 1..<32 * Self.page - 1)
    try file.write([UInt8(9)].span, at: 20 * Self.page)
    #expect(Self.sum(buffer) == buffer.byteCount * 7 + 2)
    for range in [0..<16 * Self.page, 64 * Self.page..<Int.max, 20 * Self.page..<20 * Self.page, 0..<Int.max]
    {
      buffer.fileMapping?.letGo(range)
      #expect(Self.sum(buffer) == buffer.byteCount * 7 + 2)
    }
    #expect(buffer.fileMapping?.failedByte == nil)
  }

  /// A place that was read as zeros stays one that failed.
  @Test func aCutStaysKnown() throws {
    let directory = try TemporaryDirectory()
    let file = try Self.file(directory, pages: 4)
    let buffer = try file.map(0..<4 * Self.page)
    #expect(truncate(file.path, off_t(Self.page)) == 0)
    #expect(Self.sum(buffer) == Self.page * 7)
    buffer.fileMapping?.letGo(0..<4 * Self.page)
    #expect(Self.sum(buffer) == Self.page * 7 && buffer.fileMapping?.failedByte == Self.page)
  }
}
