/// The version of the program: what `--version`, `GET /`, OpenAPI, metrics and packages say. It stands here
/// and nowhere else.
package enum ProgramVersion {
  /// Three numbers, as <https://semver.org> has them. `scripts/version` reads this line.
  package static let text = "0.2.0"
}
