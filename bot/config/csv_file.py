"""Reads a CSV file as a spreadsheet or a person saved it."""

from pathlib import Path

from bot.core.hosts.csv_file import decode


def read_csv_file(path: str) -> str:
    """A small CSV file. Raises OSError, and ValueError with what to do about another encoding or kind of file."""
    try:
        return decode(Path(path).expanduser().read_bytes())
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
