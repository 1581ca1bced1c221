"""The pure heart of the recommender: a lead and its family's services in, ranked offers out."""
