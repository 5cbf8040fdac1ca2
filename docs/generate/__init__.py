"""Write the generated pages, .env.example and the alerts for Kubernetes: `make reference`. Modules have `page()`."""
