"""What do we know about a consignment at one moment? No network, no clock, no environment."""
