"""How are files ingested, scored and reported in bulk?"""
