"""Read a CSV file as spreadsheets and people save it."""

from pathlib import Path

from bot.core.hosts.csv_file import decode


def read_csv_file(path: str) -> str:
    """Return a small CSV file's text. Raises OSError, and ValueError with a fix for other encodings and file types."""
    try:
        return decode(Path(path).expanduser().read_bytes())
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
