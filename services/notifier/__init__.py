"""The notifier: tells people and CRMs about leads that became CRITICAL, once each."""
