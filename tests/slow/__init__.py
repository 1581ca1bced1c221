"""Tests that need a package manager, a browser or minutes: make slow."""
