"""What stands in a mail: views of each content, templates in a sandbox, headers, invitations."""
