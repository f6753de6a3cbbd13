"""What the product is made of, and what is known against it: a bill of materials and a judge of advisories."""
