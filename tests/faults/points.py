"""Named points of the product at which a process can be made to kill itself. The product knows nothing of it.

`install` wraps one function for each point; a process that reaches the point its arm file names is gone.
"""

import os
import pkgutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

ANY = ""
WORKING = ("ingest", "scoring", "recommender", "notifier")
"""The services that handle something whenever boxes change."""


@dataclass(frozen=True)
class Point:
    """A moment: before or after a coroutine method. `service`: whose, or any's.

    `method`: MODULE:CLASS.METHOD. `with_result`: only when it returned something, where it is also called
    for nothing. `passes`: so many it surely lets pass in a round before the last one.
    """

    name: str
    service: str
    method: str
    when: Literal["before", "after"]
    with_result: bool = False
    passes: int = 2


POINTS = (
    Point("written, not committed", ANY, "shared.messaging.outbox:Outbox.add", "after"),
    Point(
        "committed, not acknowledged", ANY, "shared.messaging.consumer:Consumer._consume", "after"
    ),
    Point("published, not deleted", ANY, "shared.messaging.relay:Relay._publish", "after"),
    Point(
        "in the middle of an import",
        "ingest",
        "services.ingest.handlers:IngestHandlers._tell",
        "after",
        passes=1,
    ),
    Point(
        "import completed, not committed",
        "ingest",
        "services.ingest.repository:BatchesRepository.complete",
        "after",
        passes=1,
    ),
    Point(
        "between two steps of a unit of work",
        "ingest",
        "services.ingest.work:IngestWork._try",
        "after",
    ),
    Point(
        "in the middle of applying", "ingest", "services.ingest.applying:Applying._link", "before"
    ),
    Point("derived, not committed", "ingest", "services.ingest.deriving:Deriving.derive", "after"),
    Point(
        "lead saved, not in the outbox",
        "recommender",
        "services.recommender.repository:RecommenderRepository.save_published",
        "after",
    ),
    Point(
        "leased, not committed",
        "notifier",
        "services.notifier.repository.queue:DeliveryQueue.lease",
        "after",
        with_result=True,
    ),
    Point(
        "marked as sending",
        "notifier",
        "services.notifier.dispatcher.loop:Dispatcher._take",
        "after",
        with_result=True,
    ),
    Point(
        "bytes sent, not answered",
        "notifier",
        "aiohttp.client_reqrep:ClientRequest.write_bytes",
        "after",
    ),
    Point(
        "answered, not recorded",
        "notifier",
        "services.notifier.dispatcher.recording:Recorder.take",
        "before",
    ),
    Point(
        "recorded, not told",
        "notifier",
        "services.notifier.dispatcher.recording:Recorder._record_once",
        "after",
    ),
)

UNDO_POINTS = (
    Point(
        "undo decided, not applied", "ingest", "services.ingest.deciding:Deciding.decide", "after"
    ),
    Point(
        "accounts parted, leads not",
        "ingest",
        "services.ingest.repository:AccountsRepository.relink",
        "after",
    ),
    Point(
        "undo applied, nothing derived",
        "ingest",
        "services.ingest.deriving:Deriving.derive",
        "before",
    ),
    Point(
        "undo derived, not committed", "ingest", "services.ingest.deriving:Deriving.derive", "after"
    ),
)
"""Reached whenever accounts are decided about; the battery arms them for an undo."""

TICK_POINTS = (
    Point(
        "leads taken from the queue, not scored",
        "scoring",
        "services.scoring.rescoring:RescoringQueue.take",
        "after",
        with_result=True,
    ),
    Point(
        "leads scored, not committed",
        "scoring",
        "services.scoring.handlers:ScoringHandlers.rescore_step",
        "after",
        with_result=True,
    ),
)
"""Reached when many leads are scored anew, as after a change of the rules."""

Method = Callable[..., Awaitable[Any]]


class Trigger:
    """Ends this process when the armed point has been passed so many times."""

    def __init__(self, arm_file: Path) -> None:
        self._arm_file = arm_file
        self._passed = 0

    def reached(self, name: str) -> None:
        """Called at every point."""
        try:
            wanted, _, times = self._arm_file.read_text().rpartition("|")
        except OSError:
            return
        if wanted != name:
            return
        self._passed += 1
        if self._passed > int(times):
            self._arm_file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def arm(arm_file: Path, point: Point, passes: int) -> None:
    """Ends the process that looks at this file when it has passed the point so many times more."""
    draft = arm_file.with_suffix(".draft")
    draft.write_text(f"{point.name}|{passes}")
    draft.replace(arm_file)


def install(service: str, arm_file: Path) -> None:
    """Wraps the points of a service in this process."""
    trigger = Trigger(arm_file)
    for point in (*POINTS, *UNDO_POINTS, *TICK_POINTS):
        if point.service in (ANY, service):
            place, _, method = point.method.rpartition(".")
            owner = pkgutil.resolve_name(place)
            setattr(owner, method, _watched(getattr(owner, method), point, trigger))


def _watched(original: Method, point: Point, trigger: Trigger) -> Method:
    @wraps(original)
    async def watched(*arguments: Any, **named: Any) -> Any:
        if point.when == "before":
            trigger.reached(point.name)
        result = await original(*arguments, **named)
        if point.when == "after" and (result or not point.with_result):
            trigger.reached(point.name)
        return result

    return watched
