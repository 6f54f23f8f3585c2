"""Join each widget's JavaScript modules into one file, with esbuild: `python3 course.py bundle`.

Bundles lie in the repository, so that whoever runs or reads the course needs neither npm nor a network.
This command needs npm, which fetches esbuild once. `bundles/made_from.json` says what the bundles were made
from; a test compares it with the sources, so that no bundle is forgotten.

A view becomes one ES module, as anywidget wants it. All of them together become page.js, a classic script
that brings the widgets of a page to life (exported pages, slides, a site).
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ESBUILD = "esbuild@0.28.2"
WIDGETS = Path(__file__).resolve().parent.parent / "utils" / "widgets"
JS_DIR, BUNDLES = WIDGETS / "js", WIDGETS / "bundles"
MANIFEST = BUNDLES / "made_from.json"
SHARED = ("core", "guess", "history", "keep", "plot", "static", "ui")
OPTIONS = (
    "--bundle",
    "--minify",
    "--charset=utf8",
    "--target=es2022",
    "--legal-comments=none",
    "--log-level=warning",
)


def views():
    """The names of the views: the files in js/ that are neither shared nor the page's."""
    names = {path.stem for path in JS_DIR.glob("*.js")}
    return sorted(names - {*SHARED, "page"})


def fingerprint():
    """{file: SHA-256} of everything that the bundles depend on."""
    sources = [*sorted(JS_DIR.glob("*.js")), WIDGETS.parent / "series.json"]
    # Line ends as in the repository, whatever this machine's git makes of them.
    texts = {path.name: path.read_text(encoding="utf-8") for path in sources}
    texts["esbuild"] = " ".join([ESBUILD, *OPTIONS])
    return {name: _sha256(text) for name, text in texts.items()}


def manifest():
    """What bundles/made_from.json holds when the bundles are current."""
    bundles = {path.name: _sha256(path.read_text(encoding="utf-8")) for path in sorted(BUNDLES.glob("*.js"))}
    return {"sources": fingerprint(), "bundles": bundles}


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def build():
    """Write all bundles and their manifest. Raises OSError with one sentence."""
    npx = shutil.which("npx")
    if npx is None:
        raise OSError("bundling needs npm to fetch esbuild: install Node.js, which brings it")
    BUNDLES.mkdir(exist_ok=True)
    entries = [str(JS_DIR / f"{name}.js") for name in views()]
    page = str(JS_DIR / "page.js")
    for command in (
        (*entries, "--format=esm", f"--outdir={BUNDLES}"),
        (page, "--format=iife", "--global-name=dropoutCourse", f"--outfile={BUNDLES / 'page.js'}"),
    ):
        result = subprocess.run(
            [npx, "--yes", ESBUILD, *command, *OPTIONS], capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise OSError(f"esbuild says: {result.stderr.strip()}")
    for path in BUNDLES.glob("*.js"):
        if path.stem not in {*views(), "page"}:
            path.unlink()
    MANIFEST.write_text(json.dumps(manifest(), indent=1) + "\n", encoding="utf-8")


def main():
    try:
        build()
    except OSError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    for path in sorted(BUNDLES.glob("*.js")):
        print(f"{path.name:<26}{path.stat().st_size:>9,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
