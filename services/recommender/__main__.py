"""Runs the recommender service: `python -m services.recommender`."""

from services.recommender.app import main

main()
