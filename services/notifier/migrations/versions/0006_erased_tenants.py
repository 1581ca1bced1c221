"""The marks of erased tenants, which every role of the service respects."""

from shared.db.protection import create_erased_tenants

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_erased_tenants("notifier")
