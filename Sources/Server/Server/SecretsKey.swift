import Access
import Codecs
import Foundation
import Platform
import Records

/// Where the keys that seal secrets come from.
package enum SecretsKeySource: Sendable, Hashable {
  /// A file in the data directory, made if missing.
  case dataDirectory
  /// Another file.
  case file(String)
  /// What a command for the shell says.
  case command(String)
}

/// The keys that seal secrets in the control database: from a file, or from a command that asks whoever keeps
/// them (`audit.secrets_key_file`, `audit.secrets_key_command`). Blocks.
enum SecretsKey {
  /// Of the file in the data directory that is made where nothing is configured.
  static let fileName = DataFiles.secretsKey
  private static let bytesMax = 64 * 1024

  /// - Returns: nil: no key can be made here, as `warning` says.
  /// - Throws: What is configured is not there, is open to others, or is no key.
  static func seal(
    _ configuration: Configuration
  ) throws(StartError) -> (seal: SecretSeal?, warning: String?) {
    switch configuration.secretsKey {
    case .command(let command):
      let name = "audit.secrets_key_command"
      return (try seal(try output(of: command, name), from: name), nil)
    case .file(let path): return (try read(path), nil)
    case .dataDirectory: return try ownFile(in: configuration.dataDirectory)
    }
  }

  private static func ownFile(
    in directory: String
  ) throws(StartError) -> (seal: SecretSeal?, warning: String?) {
    let path = directory + "/" + fileName
    if PrivateFile.isOpenToOthers(path) != nil { return (try read(path), nil) }
    do throws(DiskError) {
      try PrivateFile.write(Array((Hex.text(SystemEntropy().bytes(32)) + "\n").utf8), to: path)
      try LocalFileSystem().syncDirectory(directory)
    } catch { return (nil, "audit tenants' secrets are kept as they are: \(error)") }
    return (try read(path), nil)
  }

  private static func read(_ path: String) throws(StartError) -> SecretSeal {
    guard let isOpen = PrivateFile.isOpenToOthers(path) else {
      throw .store("cannot read the key file \(path): there is none (audit.secrets_key_file)")
    }
    guard !isOpen else { throw .store("the key file \(path) can be read by other users: chmod 600 \(path)") }
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw .store("cannot read the key file \(path)")
    }
    return try seal(text, from: "the key file \(path)")
  }

  private static func seal(_ text: String, from name: String) throws(StartError) -> SecretSeal {
    guard text.utf8.count <= bytesMax, let keys = SecretSeal.keys(in: text) else {
      throw .store("\(name) gives no key: lines of 64 hexadecimal digits (openssl rand -hex 32)")
    }
    return SecretSeal(keys: keys)
  }

  /// What a command for the shell says on its standard output.
  private static func output(of command: String, _ name: String) throws(StartError) -> String {
    let seconds = 30
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardOutput = pipe
    process.standardInput = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do { try process.run() } catch { throw .store("cannot run \(name): \(error.localizedDescription)") }
    guard ended.wait(timeout: .now() + .seconds(seconds)) == .success else {
      process.terminate()
      throw .store("\(name) took more than \(seconds) seconds")
    }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw .store("\(name) ended with status \(process.terminationStatus)")
    }
    // What a pipe holds at most; what the command has started may still hold its other end.
    return String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
  }
}
