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

  private static func expect(
    _ bytes: Int, of file: any File, location: SourceLocation = #_sourceLocation
  ) throws {
    let resident = try MappedPages.residentBytes(of: file.path)
    #expect(resident == bytes, sourceLocation: location)
  }

  @Test func pagesThatAreLetGoOfLeaveTheProcessAndComeBack() throws {
    let directory = try TemporaryDirectory()
    let file = try Self.file(directory, pages: 64)
    let buffer = try file.map(0..<64 * Self.page)
    #expect(Self.sum(buffer) == 64 * Self.page * 7)
    try Self.expect(64 * Self.page, of: file)
    // Pages of which a part is named go too.
    buffer.fileMapping?.letGo(Self.page + 1..<32 * Self.page - 1)
    try Self.expect(33 * Self.page, of: file)
    // What was written meanwhile shows, and nothing is lost.
    try file.write([UInt8(9)].span, at: 2 * Self.page)
    #expect(Self.sum(buffer) == 64 * Self.page * 7 + 2)
    #expect(buffer.fileMapping?.failedByte == nil)
  }

  @Test func whatLiesOutsideOfAMappingIsNoneOfItsBusiness() throws {
    let directory = try TemporaryDirectory()
    let file = try Self.file(directory, pages: 64)
    let before = try file.map(0..<16 * Self.page)
    let part = try file.map(16 * Self.page + 100..<32 * Self.page)
    let behind = try file.map(32 * Self.page..<48 * Self.page)
    for buffer in [before, part, behind] { #expect(Self.sum(buffer) == buffer.byteCount * 7) }
    for range in [0..<16 * Self.page, 32 * Self.page..<Int.max, 20 * Self.page..<20 * Self.page] {
      part.fileMapping?.letGo(range)
    }
    try Self.expect(48 * Self.page, of: file)
    part.fileMapping?.letGo(0..<Int.max)
    try Self.expect(32 * Self.page, of: file)
    #expect(Self.sum(part) == part.byteCount * 7)
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
