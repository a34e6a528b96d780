"""The numbers of the house, each in one place. Whoever tightens one does so here."""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Swift, C, shell, Python, and code blocks in documents. Prose in documents is wrapped by whoever shows it.
LINE_LENGTH_MAX = json.loads((ROOT / ".swift-format").read_text())["lineLength"]

FUNCTION_LINES_MAX = 60
FUNCTION_LINES_P90_MAX = 22
PARAMETERS_MAX = 6
FILE_LINES_MAX = 400
FILE_LINES_MEDIAN_MAX = 110

# Floors: they only rise. The first is the share of package and public declarations with a doc comment, the
# second that of comment lines to lines of code in Sources.
DOCUMENTED_MIN = 0.88
COMMENTS_TO_CODE_MIN = 0.14
