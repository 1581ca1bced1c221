"""Joins each lead with its account's profile, scores it, explains the score."""
