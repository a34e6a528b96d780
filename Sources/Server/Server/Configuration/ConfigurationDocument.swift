/// Writes the table of Docs/operating/configuration.md from the settings, so that the two cannot differ.
package enum ConfigurationDocument {
  /// A Markdown table row a setting.
  package static var table: String {
    let rows = Setting.all.map { setting in
      let type = setting.unit.isEmpty ? setting.kind.name : "\(setting.kind.name); \(setting.unit)"
      return "| `\(setting.path)` | \(type) | `\(setting.defaultText)` | \(setting.summary) |"
    }
    return (["| key | type; unit | default | what it does |", "|---|---|---|---|"] + rows).joined(
      separator: "\n")
  }
}
