"""The SQL of the notifier, by what it is about; every method runs in the caller's transaction."""

from services.notifier.repository.deliveries import NewDelivery, NotifierRepository, Told
from services.notifier.repository.leads import Held, Key, LeadsRepository
from services.notifier.repository.moves import Hearer
from services.notifier.repository.queue import DeliveryQueue, Leased

__all__ = [
    "DeliveryQueue",
    "Hearer",
    "Held",
    "Key",
    "LeadsRepository",
    "Leased",
    "NewDelivery",
    "NotifierRepository",
    "Told",
]
