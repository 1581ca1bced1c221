"""Where a command's JSON or CSV goes: to standard output, or whole into a file."""

from pathlib import Path

from onelead.console import err, out
from shared.errors import UserError


def check_output(*, json: bool, csv: bool, output: Path | None) -> None:
    """Raises UserError when the options that choose the output contradict each other."""
    if json and csv:
        raise UserError("--json and --csv exclude each other", hint="give one of them")
    if output is not None and not (json or csv):
        raise UserError("--out needs to know what to write", hint="add --json or --csv")


def deliver(text: str, output: Path | None) -> None:
    """Writes the text to `output`, else to standard output. Raises UserError when it cannot."""
    if output is None:
        out.out(text, end="", highlight=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(f"{output}: cannot be written: {error.strerror}") from error
    err.print(f"Written to {output}", markup=False)
