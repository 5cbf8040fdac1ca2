"""Format the examples at the end of each command's help."""


def examples(*commands: str) -> str:
    """Return the epilog of a command's help: these command lines, each on a line."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))
