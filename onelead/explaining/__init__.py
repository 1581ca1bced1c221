"""`onelead explain`: a lead's score as a person would work it out, and what would change it."""
