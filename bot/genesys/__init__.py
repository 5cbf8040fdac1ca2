"""The door to Genesys: tokens, sessions and users over one HTTP seam."""
