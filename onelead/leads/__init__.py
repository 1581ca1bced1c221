"""The parts of `onelead leads`: finding and listing leads, asking lifecycle, moments, tables."""
