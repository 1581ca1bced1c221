"""Runs the demo: a fresh edition with stand-ins, the samples imported, everything awaited, told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson
import psutil
from rich.console import Console

from onelead.bar import plain_watcher
from onelead.demo.memory import MemoryWatch
from onelead.demo.results import Results, collect
from onelead.demo.settled import wait_until_settled
from onelead.demo.summary import Measured, as_json, print_summary
from onelead.edition.edition import DEFAULT_TENANT, Edition, running
from onelead.edition.service import ROOT
from onelead.handover import FileBatch, read_batch
from onelead.importing import hand_over
from onelead.reporting import Reporter
from onelead.settings import EditionSettings
from shared import clock
from shared.errors import UserError

AS_OF = date(2025, 10, 9)
SAMPLES = ROOT / "samples"
_SETTLE_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class DemoOptions:
    """`once`: end after the summary. `as_json`: one object on the last line. `keep`: the data stays."""

    once: bool = False
    as_json: bool = False
    keep: bool = False


def demo_settings(settings: EditionSettings) -> EditionSettings:
    """A data folder of its own inside the usual one, and free ports unless ports were asked for."""
    chosen = {"kafka_port": 0, "ops_base_port": 0, "as_of": AS_OF}
    unset = {name: value for name, value in chosen.items() if name not in settings.model_fields_set}
    return settings.model_copy(update={**unset, "home": settings.home / "demo"})


async def run_demo(
    settings: EditionSettings, options: DemoOptions, out: Console, reporter: Reporter
) -> None:
    """Everything from the empty folder to the summary; stays until cancelled unless `once`."""
    edition = Edition(
        demo_settings(settings),
        reporter,
        with_standins=True,
        fresh=True,
        discard=not options.keep,
    )
    memory = MemoryWatch()
    async with memory.running(), running(edition):
        results = await _import_samples(edition, reporter)
        memory.sample()
        measured = Measured(edition.infrastructure_s, _since_command_s(), memory.peak_mb)
        print_summary(out, results, measured, _addresses(edition))
        if not options.once:
            _print_json(out, options, results, measured)
            reporter.say("Everything stays up for a look. Stop with Ctrl-C.")
            await asyncio.Event().wait()
    _print_json(out, options, results, measured)


def _print_json(out: Console, options: DemoOptions, results: Results, measured: Measured) -> None:
    """When the demo ends by itself this is the very last line of all."""
    if options.as_json:
        out.out(orjson.dumps(as_json(results, measured)).decode())


async def _import_samples(edition: Edition, reporter: Reporter) -> Results:
    batch, _ = await read_batch(edition.bootstrap, FileBatch(DEFAULT_TENANT, sample_files()))
    report = await hand_over(
        edition.bootstrap,
        batch,
        plain_watcher(reporter),
        idle_timeout_s=edition.settings.import_idle_timeout_s,
    )
    await wait_until_settled(
        edition.bootstrap, edition.owner_url, [DEFAULT_TENANT], reporter, _SETTLE_TIMEOUT_S
    )
    return await collect(edition.bootstrap, DEFAULT_TENANT, report)


def sample_files() -> Sequence[Path]:
    """The workbooks of samples/. Raises UserError when they are not there."""
    files = sorted(SAMPLES.glob("*.xlsx"))
    if not files:
        raise UserError(
            f"no sample workbooks in {SAMPLES}", hint="run the demo from a checkout of the project"
        )
    return files


def _addresses(edition: Edition) -> dict[str, str]:
    standins = edition.standins
    found = {"every message received": standins.addresses["page_url"]} if standins else {}
    for service in edition.services:
        found[f"metrics of {service.name}"] = f"http://127.0.0.1:{service.port}/metrics"
    return {**found, "Kafka": edition.bootstrap, "data folder": str(edition.folder.home)}


def _since_command_s() -> float:
    """Seconds since this process was started, loading included."""
    return clock.now().timestamp() - psutil.Process().create_time()
