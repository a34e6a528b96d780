import ArgumentParser
import Testing

@testable import Commands
@testable import Storage

/// What backup and restore print.
@Suite struct BackupTextTests {
  @Test func theMeterShowsShareAndFile() {
    var progress = BackupProgress()
    progress.bytesDone = 1_200_000_000
    progress.bytesTotal = 3_000_000_000
    progress.file = "blocks/native-0123456789abcdef/logs/00000012.parquet"
    let line = CopyMeter.line("backup", progress, seconds: 10)
    #expect(line.hasPrefix("backup  [########------------]  40%  1.2 GB of 3.0 GB  120.0 MB/s  "))
    #expect(line.hasSuffix("logs/00000012.parquet") && line.utf8.count < 110)
    #expect(CopyMeter.line("restore", BackupProgress(), seconds: 1).contains("0%"))
  }

  @Test func theReportSaysWhatWasDone() {
    var report = BackupReport()
    report.catalogue.madeAt = 1_780_000_000_000_000_000
    report.catalogue.generation = 7
    report.catalogue.files = [.init(name: "a", byteCount: 2_000, checksum: 0)]
    report.copiedFiles = 1
    report.copiedBytes = 2_000
    report.keptFiles = 3
    let text = BackupCommand.text(of: report, target: "/mnt/b")
    #expect(text.contains("/mnt/b: 1 file, 2.0 KB, as of 2026-05-28T20:26:40") && text.contains("(edit 7)"))
    #expect(text.hasSuffix("copied 1 file of 2.0 KB, kept 3 blocks, removed 0 blocks\n"))
  }

  @Test func whereToIsToBeSaid() throws {
    #expect(throws: (any Error).self) { try CordwoodCommand.parseAsRoot(["restore", "b"]) }
    #expect(throws: (any Error).self) { try CordwoodCommand.parseAsRoot(["backup"]) }
    for arguments in [["--data-dir", "d"], ["--data", "d"], ["--verify-only"]] {
      _ = try CordwoodCommand.parseAsRoot(["restore", "b"] + arguments)
    }
  }
}
