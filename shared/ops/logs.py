"""Structured logs: one JSON object a line, with service, lead, batch and trace where they are known."""

import logging
import sys
from typing import Any

import orjson
import structlog

Logger = structlog.stdlib.BoundLogger


def configure_logs(service: str, level: str) -> None:
    """Sends our own and the libraries' logs to standard output as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "faststream", "uvicorn", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=repr).decode()


def get_logger(name: str) -> Logger:
    """A logger whose lines are JSON objects; keyword arguments become fields."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
