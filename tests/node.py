"""Run the widgets' JavaScript in node and compare it with Python."""

import json
import shutil
import subprocess
from pathlib import Path

from conftest import skip_or_fail

JS_DIR = Path(__file__).resolve().parent.parent / "utils" / "widgets" / "js"


def run_js(module, expression, **values):
    """The value of a JavaScript expression, with all exports of js/MODULE.js and `values` in scope."""
    node = shutil.which("node")
    if not node:
        skip_or_fail("node is not installed, so the JavaScript cannot be compared with Python")
    exports = f"const m = await import({json.dumps((JS_DIR / (module + '.js')).as_uri())});\n"
    names = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    code = exports + names + f"process.stdout.write(JSON.stringify({expression}));"
    result = subprocess.run(
        [node, "--input-type=module"], input=code, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
