"""Write the generated pages, .env.example and the alerts for Kubernetes: `make reference`.

Each module has a function `page` that returns the text of its file.
"""
