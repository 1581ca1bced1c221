"""Runs the lifecycle service: `python -m services.lifecycle`."""

from services.lifecycle.app import main

main()
