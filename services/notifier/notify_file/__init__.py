"""The notify file (YAML): which sinks there are, who is told what and when; read and checked."""

from services.notifier.notify_file.model import NotifyFile, SinkOptions
from services.notifier.notify_file.read import Notifications, read_notify_file

__all__ = ["Notifications", "NotifyFile", "SinkOptions", "read_notify_file"]
