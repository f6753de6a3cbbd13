"""Whether what a party states of itself can be: its words, place, postcode, script, house and telephone."""
