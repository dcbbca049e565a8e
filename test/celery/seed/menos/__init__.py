"""Stand-ins for the services of menos, which the tasks of the seed import. What they are asked says what they do."""
