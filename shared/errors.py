"""The error a person can act on: what is wrong, where, and what to do; shown without a traceback."""


class UserError(Exception):
    """Something the user can mend. `hint` says how, `exit_code` is what the command ends with."""

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
