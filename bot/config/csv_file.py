"""Read CSV files in the encodings of common spreadsheet programs."""

from pathlib import Path

from bot.core.hosts.csv_file import decode


def read_csv_file(path: str) -> str:
    """Return the text of a CSV file. Raises OSError if the file cannot be read.

    Raises ValueError if the file is no CSV file but a spreadsheet such as .xlsx, or has an unsupported encoding. The
    text of the ValueError says how to fix the file.
    """
    try:
        return decode(Path(path).expanduser().read_bytes())
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
