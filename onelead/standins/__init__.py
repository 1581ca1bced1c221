"""Stand-ins for Slack, a mail server and Salesforce: they answer like the originals, errors included."""
