"""How history was read up to commit ce1beb4, unchanged but for the imports: each key and fact by itself."""
