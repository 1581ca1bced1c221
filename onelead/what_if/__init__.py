"""What-if: a tenant's stored records judged by other rules in the shadow; nothing is written or told."""
