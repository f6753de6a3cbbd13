"""What integrators do with the description of the API: a client is generated from it, and used."""
