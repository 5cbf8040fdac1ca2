"""Read a CSV file in the encodings that spreadsheets write."""

from pathlib import Path

from bot.core.hosts.csv_file import decode


def read_csv_file(path: str) -> str:
    """Return the text of a small CSV file. Raises OSError if the file cannot be read.

    Raises ValueError if the file has another encoding or is no CSV file. The error says how to save the file.
    """
    try:
        return decode(Path(path).expanduser().read_bytes())
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
