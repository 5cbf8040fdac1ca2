"""Read a CSV file in the encodings that spreadsheets write."""

from pathlib import Path

from bot.core.hosts.csv_file import decode


def read_csv_file(path: str) -> str:
    """Return a small CSV file as text. Raises OSError; ValueError that says how to save another encoding or type."""
    try:
        return decode(Path(path).expanduser().read_bytes())
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
