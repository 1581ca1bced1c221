"""The arguments and options that the commands of `onelead leads` share."""

from typing import Annotated

import typer

from shared.events import LeadType

Name = Annotated[str, typer.Argument(help="a lead's id, its beginning, or a serial number")]
Tenant = Annotated[str, typer.Option(help="whose leads")]
OfType = Annotated[
    LeadType | None, typer.Option("--type", help="which lead, when a box has several")
]
Zone = Annotated[str, typer.Option(help="the time zone of moments, like Europe/Zurich")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Choice = Annotated[list[str] | None, typer.Option(help="only these; repeat it for several")]
