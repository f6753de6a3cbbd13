"""Write the reference pages that the code itself knows."""
