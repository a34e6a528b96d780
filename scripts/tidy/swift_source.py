"""Swift files as far as the rules need them: code without comments and texts, and what is declared where."""

import bisect
import re
from dataclasses import dataclass, field

_QUOTE = re.compile(r'#*"""|#*"')
_NEXT = re.compile(r'//|/\*|#*"')
_TOKEN = re.compile(r"`\w+`|[A-Za-z_$][\w$]*|[{}()\[\]<>,.:=;@\n]|->")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_TYPE_KINDS = {"struct", "class", "enum", "actor", "protocol", "extension"}
_MODIFIER_BEFORE = re.compile(r"[\w)\s@(,.\"`?<>\[\]:]*$")


def blank(text):
    """The text with comments and texts replaced by spaces, each line as long as before. What a text
    interpolates stays."""
    out = []
    _code(text, 0, out, None)
    return "".join(out)


def _spaces(part):
    return re.sub(r"[^\n]", " ", part)


def _code(text, start, out, closing):
    """Copies code from `start` on; ends behind the `)` that closes an interpolation if `closing`."""
    depth = 0
    position = start
    while True:
        found = _NEXT.search(text, position)
        end = found.start() if found else len(text)
        if closing:
            for index in range(position, end):
                if text[index] == "(":
                    depth += 1
                elif text[index] == ")":
                    if depth == 0:
                        out.append(text[position:index] + " ")
                        return index + 1
                    depth -= 1
        out.append(text[position:end])
        if not found:
            return len(text)
        if found.group() == "//":
            position = text.find("\n", end)
            position = len(text) if position < 0 else position
            out.append(" " * (position - end))
        elif found.group() == "/*":
            position = _block_comment(text, end)
            out.append(_spaces(text[end:position]))
        else:
            position = _string(text, end, out)


def _block_comment(text, start):
    depth = 0
    for found in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if found.group() == "/*" else -1
        if depth == 0:
            return start + found.end()
    return len(text)


def _string(text, start, out):
    opening = _QUOTE.match(text, start).group()
    hashes = opening.count("#")
    quote = opening[hashes:]
    escape = "\\" + "#" * hashes
    pattern = re.compile(re.escape(escape) + r"(.)|" + re.escape(quote + "#" * hashes), re.DOTALL)
    out.append(" " * len(opening))
    position = start + len(opening)
    while True:
        found = pattern.search(text, position)
        if not found:
            out.append(_spaces(text[position:]))
            return len(text)
        out.append(_spaces(text[position:found.end()]))
        position = found.end()
        if found.group(1) is None:
            return position
        if found.group(1) == "(":
            position = _code(text, position, out, True)


@dataclass
class Declaration:
    """Something declared at file level or in a type, or a function anywhere."""

    kind: str
    name: str
    line: int
    access: str
    modifiers: str
    owner: str
    owner_kind: str
    owner_access: str
    inherits: str = ""
    parameters: list = field(default_factory=list)
    end_line: int = 0
    is_documented: bool = False
    is_member: bool = True

    @property
    def title(self):
        if self.kind in ("func", "init", "subscript"):
            name = self.name if self.kind == "func" else self.kind
            labels = "".join(label + ":" for label in self.parameters)
            name = f"{name}({labels})"
        else:
            name = self.name
        return f"{self.owner}.{name}" if self.owner else name


class SwiftFile:
    """One file."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.code = blank(text)
        self.code_lines = self.code.split("\n")
        self.declarations = _Reader(self).read()

    @property
    def name(self):
        return self.path.rsplit("/", 1)[-1]

    def code_line_count(self):
        return sum(1 for line in self.code_lines if line.strip())

    def comment_line_count(self):
        return sum(1 for line in self.lines if line.lstrip().startswith(("//", "/*", "*")))

    def identifiers(self):
        return _IDENTIFIER.findall(self.code)


@dataclass
class _Scope:
    kind: str  # a kind of type, or "body"
    name: str = ""
    access: str = ""
    declaration: Declaration = None


class _Reader:
    """Goes through the tokens once, with a stack of what each brace opened."""

    def __init__(self, file):
        self.file = file
        self.code = file.code
        self.tokens = [(m.group(), m.start()) for m in _TOKEN.finditer(file.code)]
        self.line_starts = [0] + [m.end() for m in re.finditer("\n", file.code)]
        self.scopes = [_Scope("file")]
        self.found = []
        self.pending = None  # the scope that the next brace outside of parentheses opens
        self.parens = []

    def line(self, offset):
        return bisect.bisect_right(self.line_starts, offset)

    def read(self):
        index = 0
        depth = 0
        pending_depth = 0
        while index < len(self.tokens):
            token, offset = self.tokens[index]
            if token in "([" and token:
                depth += 1
            elif token in ")]":
                depth -= 1
            elif token == "{":
                if self.pending and depth == pending_depth:
                    self.scopes.append(self.pending)
                    self.pending = None
                else:
                    self.scopes.append(_Scope("body"))
                self.parens.append(depth)
                depth = 0
            elif token == "}":
                scope = self.scopes.pop() if len(self.scopes) > 1 else self.scopes[0]
                if scope.declaration:
                    scope.declaration.end_line = self.line(offset)
                depth = self.parens.pop() if self.parens else 0
            elif depth == 0 and not self._is_member_access(index):
                declared = self._declaration(index)
                if declared:
                    self.pending = declared
                    pending_depth = 0
            index += 1
        return self.found

    def _is_member_access(self, index):
        return index > 0 and self.tokens[index - 1][0] == "."

    def _next(self, index):
        """The next token that is not a new line, and its place."""
        index += 1
        while index < len(self.tokens) and self.tokens[index][0] == "\n":
            index += 1
        return (self.tokens[index][0], index) if index < len(self.tokens) else ("", index)

    def _declaration(self, index):
        token, offset = self.tokens[index]
        scope = self.scopes[-1]
        in_type = scope.kind in _TYPE_KINDS or scope.kind == "file"
        if token in _TYPE_KINDS:
            name, _ = self._next(index)
            if not re.match(r"[A-Za-z_`]", name) or name in ("func", "var", "let", "subscript", "init"):
                return None
            made = self._make(token, self._type_name(index), index, in_type)
            made.inherits = self._head(index)
            return _Scope(token, made.name, made.access, made)
        if token == "func":
            name, at = self._next(index)
            if name in "(<{=":  # an operator, which the tokens do not have
                name = "operator"
                at = index
            return self._function(token, name, index, at, in_type)
        if not in_type:
            return None
        if token in ("init", "subscript", "deinit"):
            return self._function(token, token, index, index, True)
        if token in ("var", "let"):
            name, at = self._next(index)
            made = self._make(token, name, index, True)
            made.end_line = made.line
            following = self._statement_end(at)
            if following == "{":
                return _Scope("body", declaration=made)
            return None
        if token == "typealias":
            self._make(token, self._next(index)[0], index, True)
        if token == "case" and scope.kind == "enum":
            self._cases(index)
        return None

    def _type_name(self, index):
        name, at = self._next(index)
        while at + 2 < len(self.tokens) and self.tokens[at + 1][0] == ".":
            name += "." + self.tokens[at + 2][0]
            at += 2
        return name

    def _head(self, index):
        """What stands between a type's name and its brace."""
        start = self.tokens[index][1]
        end = self.code.find("{", start)
        return self.code[start:end]

    def _function(self, kind, name, index, at, is_member):
        made = self._make(kind, name.strip("`"), index, is_member)
        made.end_line = made.line
        position = at
        while position < len(self.tokens) and self.tokens[position][0] not in "({":
            position += 1
        if kind != "deinit" and position < len(self.tokens) and self.tokens[position][0] == "(":
            made.parameters, closing = self._parameters(position)
            made.end_line = self.line(self.tokens[min(closing, len(self.tokens) - 1)][1])
        if self.scopes[-1].kind == "protocol" and kind != "subscript":
            return None
        return _Scope("body", declaration=made)

    def _parameters(self, opening):
        """The labels of the parameters, and the place of the closing parenthesis."""
        labels = []
        depth = 0
        is_start = True
        position = opening
        while position < len(self.tokens):
            token = self.tokens[position][0]
            if token in ("(", "[", "{", "<"):
                depth += 1
            elif token in (")", "]", "}", ">"):
                depth -= 1
                if depth == 0:
                    return labels, position
            elif depth == 1 and token == ",":
                is_start = True
            elif depth == 1 and is_start and re.match(r"[A-Za-z_`]", token):
                labels.append(token.strip("`"))
                is_start = False
            position += 1
        return labels, position

    def _statement_end(self, index):
        """`{` if the declaration at `index` goes on with a body of its own, else an empty text."""
        depth = 0
        has_value = False
        for token, _ in self.tokens[index + 1:]:
            if token in "([<":
                depth += 1
            elif token in ")]>":
                depth -= 1
            elif depth == 0 and token == "=":
                has_value = True
            elif depth == 0 and token == "\n":
                return ""
            elif depth == 0 and token == "{":
                return "" if has_value else "{"
            elif token == "}":
                return ""
        return ""

    def _cases(self, index):
        depth = 0
        expects = True
        for place in range(index + 1, len(self.tokens)):
            token = self.tokens[place][0]
            if token in ("(", "[", "<"):
                depth += 1
            elif token in (")", "]", ">"):
                depth -= 1
            elif depth == 0 and token == ",":
                expects = True
            elif depth == 0 and token in ("\n", "}", ";") and not expects:
                return
            elif depth == 0 and expects and re.match(r"[A-Za-z_`]", token):
                self._make("case", token.strip("`"), place, True, first=index)
                expects = False

    def _make(self, kind, name, index, is_member, first=None):
        offset = self.tokens[index][1]
        line = self.line(self.tokens[first][1] if first is not None else offset)
        before = self.code[self.line_starts[line - 1]:self.tokens[first][1] if first is not None else offset]
        before = before.rsplit("{", 1)[-1].rsplit(";", 1)[-1]
        access = ""
        for word in ("public", "package", "private", "fileprivate", "internal"):
            if re.search(rf"\b{word}\b(?!\()", before):
                access = word
        scope = self.scopes[-1]
        owners = [s.name for s in self.scopes if s.kind in _TYPE_KINDS]
        made = Declaration(
            kind=kind, name=name.strip("`"), line=line, access=access, modifiers=before,
            owner=".".join(owners), owner_kind=scope.kind, owner_access=scope.access, end_line=line,
            is_member=is_member)
        made.is_documented = self._is_documented(line)
        self.found.append(made)
        return made

    def _is_documented(self, line):
        lines = self.file.lines
        above = line - 2
        while above >= 0 and lines[above].lstrip().startswith(("@", "// swift-format")):
            above -= 1
        if above < 0:
            return False
        text = lines[above].strip()
        return text.startswith("///") or text.endswith("*/")
