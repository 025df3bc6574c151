"""How a pickled network comes back: its source is loaded again, with the options it was loaded with."""

from __future__ import annotations

from typing import Any

from ._cnn import Network, load as _load


def load(source: Any, options: dict[str, Any]) -> Network:
    """Repeats a `cnn.load`."""
    return _load(source, **options)
