"""The sending side: leases what is due, sends it, records what became of it, folds storms, tells of it."""

from services.notifier.dispatcher.loop import Dispatcher

__all__ = ["Dispatcher"]
