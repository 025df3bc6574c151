"""Runs the lines of docs/python.md, in one interpreter, in a folder that has the model it names.

Lines that need PyTorch are skipped where there is none.
"""

import importlib.util
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from networks import NETWORKS  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"


def main():
    has_torch = importlib.util.find_spec("torch") is not None
    page, skipped = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pathlib.Path("model.onnx").write_bytes(NETWORKS["residual"]())
        for text in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.S | re.M):
            if "torch" in text and not has_torch:
                skipped += 1
                continue
            exec(compile(text, str(PAGE), "exec"), page)
        os.chdir("/")
    assert "session" in page and "again" in page
    print("every line of docs/python.md runs" + (f"; {skipped} block needs PyTorch and was skipped" if skipped else ""))


if __name__ == "__main__":
    main()
