"""Each rule is seen red once: a rule that never was does not exist."""

import json
import pathlib
import tempfile
import unittest

import dependency_rules
import document_rules
import rules
import script_rules
import swift_rules
import wrapping
from finding import Exemptions, Finding
from swift_source import SwiftFile, blank


def swift(text, path="Sources/Base/Records/A.swift"):
    return SwiftFile(path, text)


def named(findings):
    return sorted({finding.rule for finding in findings})


class Source(unittest.TestCase):
    def test_comments_and_texts_are_no_code(self):
        code = blank('let a = "b // \\(c("d")) e" /* f /* g */ h */ // i\nlet j = """\n  k " \\(l)\n  """\nm')
        for word in "acjlm":
            self.assertIn(word, code)
        for word in "bdefghik":
            self.assertNotIn(word, code.replace("let", ""))

    def test_raw_texts_end_where_they_end(self):
        self.assertIn("after", blank('let a = #"quote " \\(no) "# + after'))
        self.assertNotIn("no", blank('let a = #"quote " \\(no) "# + after'))

    def test_declarations(self):
        file = swift(
            "package struct A: Sendable {\n  package let b: Int, c = { 1 }()\n"
            "  package var d: Int {\n    1\n  }\n"
            "  package init(_ e: [Int: Int], f g: (Int, Int) -> Void = { _, _ in }) {\n    let h = 1\n  }\n"
            "  enum I: Int {\n    case j = 1, k\n    case l(m: Int)\n  }\n}\n"
            "extension A {\n  static func == (n: A, o: A) -> Bool { true }\n}\n")
        titles = [made.title for made in file.declarations]
        self.assertEqual(
            titles,
            ["A", "A.b", "A.d", "A.init(_:f:)", "A.I", "A.I.j", "A.I.k", "A.I.l", "A", "A.operator(n:o:)"])
        self.assertEqual([m.end_line for m in file.declarations if m.name in ("d", "init")], [5, 8])


class Sizes(unittest.TestCase):
    def test_a_long_function(self):
        lines = "  f()\n" * (rules.FUNCTION_LINES_MAX - 1)
        for body, rule in ((lines, ["function-lines"]), (lines[6:], [])):
            self.assertEqual(named(swift_rules.sizes([swift("func f() {\n" + body + "}\n")])), rule)

    def test_a_long_property(self):
        lines = "    f()\n" * rules.FUNCTION_LINES_MAX
        self.assertEqual(
            named(swift_rules.sizes([swift("struct A {\n  var b: Int {\n" + lines + "  }\n}\n")])),
            ["function-lines"])

    def test_many_parameters(self):
        text = "func f(a: Int, b: Int, c: [Int: Int], d: (Int, Int), e: Int, _ f: Int"
        self.assertEqual(named(swift_rules.sizes([swift(text + ") {}\n")])), [])
        self.assertEqual(named(swift_rules.sizes([swift(text + ", g: Int) {}\n")])), ["parameters"])

    def test_a_long_file(self):
        self.assertEqual(named(swift_rules.sizes([swift("\n" * 401)])), ["file-lines"])

    def test_long_files_and_functions_on_the_whole(self):
        body = "  f()\n" * rules.FUNCTION_LINES_P90_MAX
        long = swift("func f() {\n" + body + "}\n" + "\n" * 100)
        self.assertEqual(named(swift_rules.spread([long])), ["file-median", "function-p90"])

    def test_text_that_is_compared_by_looks(self):
        seen = [
            "let a: Set<String> = []", "var b: [String: Int]", "for c: Character in d {}", 'e.hasPrefix(f)',
            "g.lowercased()", 'h.split(separator: ",")', 'i.contains("j")', 'if k == "l" {}',
            'm.filter { $0 != "n" }',
        ]
        for line in seen:
            self.assertEqual(named(swift_rules.canonical_text([swift(line)])), ["canonical-text"], line)
        quiet = "// a Set<String>\nlet a: Set<Name> = []\nif b.hasBytes(of: \"c\") {}\nd.split(separator: 44)"
        self.assertEqual(named(swift_rules.canonical_text([swift(quiet)])), [])
        found = swift_rules.canonical_text([swift("\n".join(seen)), swift(seen[0])])
        self.assertEqual([f.exemption() for f in found], ["canonical-text 10 Base"])

    def test_long_lines(self):
        files = [("scripts/a", "x" * 110), ("scripts/b", "x" * 111 + "\n" + "x" * 120)]
        self.assertEqual([f.exemption() for f in script_rules.long_lines(files)], ["line-length 2 scripts"])


class Comments(unittest.TestCase):
    def documented(self, text, floor=1.0):
        return named(swift_rules.documented([swift(text)], floor))

    def test_bare_members(self):
        for text in (
                "/// A.\npackage struct A {\n  package let b: Int\n}\n", "package func a() {}\n",
                "/// A.\npackage protocol A {\n  func b()\n}\n"):
            self.assertEqual(self.documented(text), ["documented"])

    def test_what_needs_none(self):
        for text in (
                "/// A.\npackage struct A {\n  /// B.\n  package let b: Int\n  let c: Int\n}\n",
                "/// A.\npackage struct A {\n  package init(b: Int) {\n    self.b = b\n  }\n}\n",
                "/// A.\npackage protocol A {\n  /// B.\n  func b(c: Int)\n}\n"
                "extension D: A {\n  package func b(c: Int) {}\n}\n"):
            self.assertEqual(self.documented(text), [])

    def test_an_initialiser_that_does_more(self):
        text = "/// A.\npackage struct A {\n  package init(b: Int) {\n    self.b = b + 1\n  }\n}\n"
        self.assertEqual(self.documented(text), ["documented"])

    def test_code_without_reasons(self):
        self.assertEqual(named(swift_rules.comments([swift("let a = 1\nlet b = 2\n")], 0.1)), ["comments"])
        self.assertEqual(named(swift_rules.comments([swift("// Why.\nlet a = 1\n")], 0.1)), [])


class Dead(unittest.TestCase):
    def test_what_nobody_names(self):
        file = swift(
            "struct A {\n  let b = 1\n  func c() {}\n  func c(d: Int) {}\n}\nenum E {\n  case f\n}\n")
        found = swift_rules.dead([file], [swift("_ = A().b; E.self")])
        self.assertEqual({finding.subject.split(" ")[1] for finding in found}, {"A.c()", "A.c(d:)", "E.f"})

    def test_comments_name_nothing_and_interpolations_do(self):
        file = swift("func a() {}\nfunc b() {}\n// a()\nlet _ = \"\\(b())\"\n")
        self.assertEqual([finding.subject for finding in swift_rules.dead([file], [])], ["A.swift a()"])


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "Docs").mkdir()
        (self.root / "Docs/there.md").write_text("# One\n\n## A `b`, c\n\n```\n# Two\n```\n")

    def tearDown(self):
        self.folder.cleanup()

    def broken(self, text, path="README.md"):
        return [f.subject for f in document_rules.links(path, text, self.root)]

    def test_files(self):
        self.assertEqual(self.broken("[a](Docs/there.md) [`b`](Docs/none.md) `[c](no.md)`"), ["Docs/none.md"])
        self.assertEqual(self.broken("[a](there.md)", "Docs/here.md"), [])
        self.assertEqual(self.broken("`Docs/there.md` `Docs/none.swift` `scripts/`"), ["Docs/none.swift"])

    def test_anchors(self):
        self.assertEqual(self.broken("[a](Docs/there.md#a-b-c) [b](Docs/there.md#one)"), [])
        self.assertEqual(self.broken("[a](Docs/there.md#two)"), ["Docs/there.md#two"])

    def test_code_that_does_not_fit(self):
        text = "x" * 200 + "\n```sh\n" + "x" * 111 + "\n```\n"
        self.assertEqual([f.line for f in document_rules.code_width("README.md", text)], [3])

    def test_a_dependency_without_notice(self):
        found = document_rules.notice(["swift-nio", "swift-nio-ssl"], "  swift-nio-ssl   Copyright\n")
        self.assertEqual([f.subject for f in found], [])
        self.assertEqual([f.subject for f in document_rules.notice(["yams"], "GRDB\n")], ["yams"])


class Scripts(unittest.TestCase):
    def test_every_script_is_parsed(self):
        self.assertEqual(named(script_rules.syntax("scripts/a", "#!/bin/bash\nif true; then\n")), ["syntax"])
        self.assertEqual(named(script_rules.syntax("scripts/b", "#!/bin/sh\nif true; then\n")), ["syntax"])
        self.assertEqual(named(script_rules.syntax("scripts/c.py", "def a(:\n")), ["syntax"])
        self.assertEqual(named(script_rules.syntax("scripts/a", "#!/bin/bash\ntrue\n")), [])

    def test_shellcheck_sees_every_script(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a", "b"):
                pathlib.Path(folder, name).write_text("#!/bin/bash\nrm $1\n")
            found = list(script_rules.shellcheck(["a", "b"], folder))
            self.assertEqual(sorted(f.path for f in found), ["a", "b"])


class Mutants(unittest.TestCase):
    def test_a_bug_that_can_no_longer_be_planted(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.swift").write_text("let a = 1\n")
            (root / "a.patch").write_text(
                "--- a/a.swift\n+++ b/a.swift\n@@ -1 +1 @@\n-let a = 1\n+let a = 2\n")
            self.assertEqual(list(script_rules.mutants(["a.patch"], root)), [])
            (root / "a.swift").write_text("let b = 1\n")
            self.assertEqual(named(script_rules.mutants(["a.patch"], root)), ["mutant"])


class Dependencies(unittest.TestCase):
    def test_pins(self):
        manifest = (
            '.package(url: "https://x.org/a/swift-b", exact: "1.0.0"), '
            '.package(url: "https://x.org/a/C.swift.git", from: "1.0.0"), '
            '.package(url: "https://x.org/d", exact: "2.0.0"), '
            'shared(url: "https://x.org/e", exact: "3.0.0"), shared(url: "https://x.org/f", exact: "4.0.0")')
        versions = {"swift-b": "1.0.0", "d": "1.9.0", "e": "3.0.0", "f": "4.0.1"}
        found = list(dependency_rules.manifest("Package.swift", manifest, versions))
        self.assertEqual([f.subject for f in found], ["c.swift", "d", "f"])

    def test_drift(self):
        found = [
            {"packageRef": {"identity": name}, "state": {"checkoutState": {"version": version}}}
            for name, version in (("A", "1.1"), ("b", "1"))]
        text = json.dumps({"object": {"dependencies": found}})
        found = list(dependency_rules.drift({"a": "1.0", "c": "2"}, text))
        self.assertEqual([f.subject for f in found], ["a", "b", "c"])


class Passing(unittest.TestCase):
    finding = Finding("parameters", "Sources/A.swift", 1, "A.swift f(a:)", 8, "")

    def left(self, text, findings):
        return [(f.rule, f.amount) for f in Exemptions(text).apply(findings)]

    def test_an_entry_lets_pass_as_much_as_it_says(self):
        for amount, left in ((8, []), (7, [("parameters", 8)])):
            text = f"# at most 1\nparameters {amount} A.swift f(a:)\n"
            self.assertEqual(self.left(text, [self.finding]), left)

    def test_an_entry_that_is_not_needed_is_an_error(self):
        self.assertEqual(self.left("# at most 1\nparameters 8 A.swift f(a:)\n", []), [("exemption", 0)])
        self.assertEqual(
            self.left("# at most 1\nparameters 9 A.swift f(a:)\n", [self.finding]), [("exemption", 8)])

    def test_the_list_does_not_grow(self):
        text = "# at most 0\nparameters 8 A.swift f(a:)\n"
        self.assertEqual(self.left(text, [self.finding]), [("exemption", 1)])

    def test_shrinking(self):
        text = "# at most 2\nparameters 9 A.swift f(a:)\ndead B.swift g()\n"
        shrunk = Exemptions(text).shrunk([self.finding])
        self.assertEqual(self.left(shrunk, [self.finding]), [])


class Wrapping(unittest.TestCase):
    def test_comments_are_wrapped_into_the_next_line(self):
        code = "\n  let eight_nine_ten_eleven = 1\n"
        self.assertEqual(
            wrapping.wrapped("  /// one two three\n  /// four\n  ///\n  /// - five six seven" + code, 16),
            "  /// one two\n  /// three four\n  ///\n  /// - five six\n  ///   seven" + code)


if __name__ == "__main__":
    unittest.main()
