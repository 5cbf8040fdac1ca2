"""Give a test a clock that it sets itself."""


class Clock:
    """A clock that tests pass as an argument. Its time, `now` in seconds, changes only when a test sets it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
