"""Runs the scoring service: `python -m services.scoring`."""

from services.scoring.app import main

main()
