"""What a rule found, and the list of what is let pass."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    rule: str
    path: str
    line: int
    # Says what it is about without the folder, so that a file may move: `RunningServer.swift
    # RunningServer.start(_:)`.
    subject: str
    # How large it is, or 0 where there is nothing to measure. An exemption allows as much and no more.
    amount: int
    text: str

    def exemption(self):
        amount = f" {self.amount}" if self.amount else ""
        return f"{self.rule}{amount} {self.subject}"

    def __str__(self):
        amount = f" ({self.amount})" if self.amount else ""
        return f"{self.path}:{self.line}: [{self.rule}] {self.subject}: {self.text}{amount}"


class Exemptions:
    """A text file: `# at most N`, then a line each: rule, amount if it has one, subject."""

    def __init__(self, text, path="scripts/tidy/exemptions.txt"):
        self.path = path
        self.count_max = None
        self.allowed = {}
        for line in text.splitlines():
            if line.startswith("# at most "):
                self.count_max = int(line.split()[3])
            elif line.strip() and not line.startswith("#"):
                rule, rest = line.split(" ", 1)
                first = rest.split(" ", 1)
                amount = int(first[0]) if first[0].isdigit() else 0
                self.allowed[(rule, first[1] if amount else rest)] = amount

    def apply(self, findings):
        """The findings that are not exempt, and one for each entry that is no longer needed as it stands."""
        left = []
        largest = {}
        for finding in findings:
            key = (finding.rule, finding.subject)
            if key in self.allowed and finding.amount <= self.allowed[key]:
                largest[key] = max(largest.get(key, 0), finding.amount)
            else:
                left.append(finding)
        for key, amount in self.allowed.items():
            if key not in largest and not any((f.rule, f.subject) == key for f in left):
                left.append(self._stale(key, 0, "is no longer needed: take it out"))
            elif key in largest and largest[key] < amount:
                left.append(self._stale(key, largest[key], "has shrunk: lower its number"))
        if self.count_max != len(self.allowed):
            left.append(Finding(
                "exemption", self.path, 0, "# at most", len(self.allowed),
                f"the file's head says {self.count_max} entries; the number only gets smaller"))
        return left

    def _stale(self, key, amount, text):
        return Finding("exemption", self.path, 0, " ".join(key), amount, text)

    def shrunk(self, findings):
        """The file's text with what is no longer needed taken out."""
        largest = {}
        for finding in findings:
            key = (finding.rule, finding.subject)
            largest[key] = max(largest.get(key, 0), finding.amount)
        kept = {key: min(amount, largest[key]) for key, amount in self.allowed.items() if key in largest}
        return text_of(kept)


def text_of(allowed):
    lines = [
        "# What scripts/tidy lets pass: rule, amount, subject. It only gets shorter: an entry that is not",
        "# needed is an error, and so is a number of entries other than the one below.",
        "# `python3 scripts/tidy --shrink` takes out what is no longer needed.",
        f"# at most {len(allowed)}",
    ]
    for (rule, subject), amount in sorted(allowed.items()):
        lines.append(f"{rule} {amount} {subject}" if amount else f"{rule} {subject}")
    return "\n".join(lines) + "\n"
