"""Write the generated pages of the site, and .env.example: `make reference`. Each module has `page()`."""
