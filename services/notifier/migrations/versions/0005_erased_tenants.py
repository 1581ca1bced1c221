"""The marks of erased tenants, which every role of the service respects."""

from shared.db.protection import create_erased_tenants

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_erased_tenants("notifier")
