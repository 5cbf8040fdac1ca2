"""Read a CSV file that is encoded as UTF-8."""

from pathlib import Path

from bot.core.hosts.csv_file import decode


def read_csv_file(path: str) -> str:
    """Return the text of a CSV file. Raises OSError if the file cannot be read.

    Raises ValueError if the file is a spreadsheet such as .xlsx, if it is not encoded as UTF-8, or if `path` starts
    with `~` and the home directory is unknown. The text of the ValueError describes the problem.
    """
    try:
        return decode(Path(path).expanduser().read_bytes())
    except RuntimeError:
        raise ValueError("the home directory of that path is not known") from None
