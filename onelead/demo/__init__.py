"""The demo: the whole product on the sample workbooks, with stand-ins at the receiving end."""
