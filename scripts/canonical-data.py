"""Writes src/OrtPeft.Tokenizers/Normalization/CanonicalData.txt, Unicode's canonical mappings, from Python's own copy of
the Unicode data: python3 scripts/canonical-data.py

    c FIRST LAST CLASS     a range of characters with a combining class above 0
    d CHARACTER FIRST [SECOND]   a canonical decomposition, one level
    x CHARACTER FIRST [SECOND]   one that composition leaves apart

Hangul is not listed: its mappings are computed.
"""
import pathlib
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)
lines = [f"# Unicode {unicodedata.unidata_version}, written by scripts/canonical-data.py"]
classes = [(c, unicodedata.combining(chr(c))) for c in range(0x110000)]
first = None
for (c, kind), (_, following) in zip(classes, classes[1:] + [(0, 0)]):
    first = c if first is None and kind else first
    if kind and following != kind:
        lines.append(f"c {first:X} {c:X} {kind}")
        first = None
for c in range(0x110000):
    mapping = unicodedata.decomposition(chr(c))
    if not mapping or mapping.startswith("<") or c in HANGUL:
        continue
    composes = unicodedata.normalize("NFC", chr(c)) == chr(c)
    lines.append(f"{'d' if composes else 'x'} {c:X} {mapping}")
path = pathlib.Path(__file__).parent.parent / "src/OrtPeft.Tokenizers/Normalization/CanonicalData.txt"
path.write_text("\n".join(lines) + "\n", encoding="ascii")
