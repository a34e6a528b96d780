"""Rules about Swift: each takes files and gives findings."""

import re
import statistics
from collections import Counter

import rules
from finding import Finding

_VISIBLE = ("package", "public")
_FUNCTIONS = ("func", "init", "subscript", "deinit", "var")
_DYNAMIC = re.compile(r"\b(CaseIterable|String|CodingKey|RawRepresentable)\b")
_STORE_ONLY = re.compile(r"\s*(self\.\w+ = [\w.]+;?\s*)*")

# What a library or the language calls: nobody of ours need name it.
_CALLED_FROM_OUTSIDE = {
    "main", "configuration", "run", "validate", "description", "debugDescription", "hash", "errorDescription",
    "operator", "init", "deinit", "subscript", "allCases", "id",
    # NIO's handlers
    "InboundIn", "InboundOut", "OutboundIn", "OutboundOut", "channelActive", "channelInactive", "channelRead",
    "channelReadComplete", "channelWritabilityChanged", "channelRegistered", "handlerAdded", "handlerRemoved",
    "errorCaught", "userInboundEventTriggered", "triggerUserOutboundEvent", "write", "flush", "read", "close",
    # executors, literals, sequences, argument parsing
    "unownedExecutor", "asUnownedSerialExecutor", "enqueue", "isIsolatingCurrentContext", "Element",
    "Iterator", "ArrayLiteralElement", "makeIterator", "next", "defaultValueDescription",
    "databaseTableName", "logLevel",
    "metadata", "metadataProvider",
}


# Where Swift compares, hashes or walks text by canonical equivalence (decision 0028): `Name` and the
# functions beside it go by bytes. What the compiler alone knows, `==` of two variables, is left to readers.
_CANONICAL = re.compile(
    r"""\bSet<(?:String|Substring)>|\[(?:String|Substring):\s|\bCharacter\b|\.has(?:Prefix|Suffix)\(
    |\.(?:lowercased|uppercased)\(\)
    |\.(?:split|firstIndex|lastIndex|contains|components)\((?:separator:\s|of:\s|separatedBy:\s)?"
    |[!=]=\s"|\{\s\$0\s[!=]=\s\"""", re.VERBOSE)


def canonical_count(line):
    return len(_CANONICAL.findall(line.split("//")[0]))


def canonical_text(files):
    """Counted by layer: an exemption says how many are left, each of them with texts of our own."""
    counts, first = {}, {}
    for file in files:
        layer = file.path.split("/")[1]
        for number, line in enumerate(file.lines, 1):
            found = canonical_count(line)
            counts[layer] = counts.get(layer, 0) + found
            if found:
                first.setdefault(layer, (file.path, number))
    for layer, count in counts.items():
        if count:
            path, number = first[layer]
            yield Finding(
                "canonical-text", path, number, layer, count,
                "compared by looks, not bytes; this is the first (scripts/tidy --canonical lists them)")


def sizes(files):
    for file in files:
        count = len(file.lines) - 1
        if count > rules.FILE_LINES_MAX:
            yield Finding(
                "file-lines", file.path, 1, file.name, count, f"more than {rules.FILE_LINES_MAX} lines")
        for made in file.declarations:
            lines = made.end_line - made.line + 1
            if made.kind in _FUNCTIONS and lines > rules.FUNCTION_LINES_MAX:
                yield Finding(
                    "function-lines", file.path, made.line, f"{file.name} {made.title}", lines,
                    f"more than {rules.FUNCTION_LINES_MAX} lines")
            if len(made.parameters) > rules.PARAMETERS_MAX:
                yield Finding(
                    "parameters", file.path, made.line, f"{file.name} {made.title}", len(made.parameters),
                    f"more than {rules.PARAMETERS_MAX} parameters")


def spread(files):
    """Half of the files are short, and nine of ten functions."""
    median = statistics.median(len(file.lines) - 1 for file in files)
    if median > rules.FILE_LINES_MEDIAN_MAX:
        yield Finding(
            "file-median", "Sources", 0, "Sources", int(median), f"above {rules.FILE_LINES_MEDIAN_MAX}")
    lengths = sorted(
        made.end_line - made.line + 1 for file in files for made in file.declarations
        if made.kind in ("func", "init"))
    if lengths and lengths[int(len(lengths) * 0.9)] > rules.FUNCTION_LINES_P90_MAX:
        yield Finding(
            "function-p90", "Sources", 0, "Sources", lengths[int(len(lengths) * 0.9)],
            f"above {rules.FUNCTION_LINES_P90_MAX}")


def needs_document(file, made):
    """Package and public declarations, and what package protocols ask for. An initialiser that only stores
    its parameters says nothing that the properties do not."""
    if made.kind in ("case", "deinit"):
        return False
    asked = made.owner_kind == "protocol" and made.owner_access in _VISIBLE
    if made.access not in _VISIBLE and not asked:
        return False
    if "override" in made.modifiers or (made.kind == "func" and made.name == "operator"):
        return False
    if made.kind in ("var", "func") and made.name in _CALLED_FROM_OUTSIDE:
        return False
    return not (made.kind == "init" and _only_stores(file, made))


def _only_stores(file, made):
    body = "\n".join(file.code_lines[made.line - 1:made.end_line])
    end = body.find("{", body.find(")"))
    if end < 0 or "throws" in body[:end]:
        return False
    return _STORE_ONLY.fullmatch(body[end + 1:body.rfind("}")]) is not None


def undocumented(files):
    """How many declarations need a doc comment, and those that have none. What fulfils a documented
    requirement of a protocol has its comment from there."""
    inherited = {
        (made.kind, made.name, tuple(made.parameters)) for file in files for made in file.declarations
        if made.owner_kind == "protocol" and made.is_documented}
    asked = [(file, made) for file in files for made in file.declarations if needs_document(file, made)]
    bare = [
        (file, made) for file, made in asked
        if not made.is_documented and _requirement(made) not in inherited]
    return len(asked), bare


def _requirement(made):
    kind = "var" if made.kind == "let" and made.owner_kind != "protocol" else made.kind
    return (kind, made.name, tuple(made.parameters))


def documented(files, floor=None):
    floor = rules.DOCUMENTED_MIN if floor is None else floor
    asked, bare = undocumented(files)
    if asked and 1 - len(bare) / asked < floor:
        share = 100 * (1 - len(bare) / asked)
        yield Finding(
            "documented", "Sources", 0, "Sources", 0,
            f"{share:.1f} % of package declarations have a doc comment, floor {100 * floor:.1f} %"
            " (scripts/tidy --undocumented lists the others)")


def comments(files, floor=None):
    floor = rules.COMMENTS_TO_CODE_MIN if floor is None else floor
    code = sum(file.code_line_count() for file in files)
    said = sum(file.comment_line_count() for file in files)
    if code and said / code < floor:
        yield Finding(
            "comments", "Sources", 0, "Sources", 0,
            f"{said / code:.3f} comment lines a line of code, floor {floor}")


def dead(files, others):
    """What is declared in `files` and named nowhere else, there or in `others`. Names are compared, not
    types: of two of one name, one may be dead unseen."""
    named = Counter()
    for file in files + others:
        named.update(file.identifiers())
    declared = Counter(made.name for file in files for made in file.declarations if made.kind != "extension")
    dynamic = {
        made.title for file in files for made in file.declarations
        if made.kind == "enum" and _DYNAMIC.search(made.inherits)}
    for file in files:
        for made in file.declarations:
            if made.kind in ("extension", "init", "deinit", "subscript") or made.name in _CALLED_FROM_OUTSIDE:
                continue
            if "override" in made.modifiers or made.name.startswith("_") or not made.is_member:
                continue
            if made.kind == "case" and made.owner in dynamic:
                continue
            if named[made.name] <= declared[made.name]:
                yield Finding(
                    "dead", file.path, made.line, f"{file.name} {made.title}", 0, "is named nowhere else")
