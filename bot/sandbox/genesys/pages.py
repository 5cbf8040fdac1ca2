"""Build the HTML pages that the sandbox's Genesys shows in a browser."""

import html

from aiohttp import web

HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(status: int, heading: str, body: str) -> web.Response:
    """Return a response with an HTML page: the heading `heading` (plain text) and the content `body` (HTML).

    `status`: the HTTP status of the response.
    """
    heading = html.escape(heading)
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title><link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }}
main {{ max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem; overflow-wrap: anywhere }}
pre {{ white-space: pre-wrap }}
button {{ font: inherit; padding: .4rem 1rem; min-width: 18rem }}
@media (max-width: 480px) {{
  :root {{ font-size: 1rem }}
  main {{ margin: 1rem auto; padding: 0 1rem }}
  h1 {{ font-size: 1.3rem }}
  h2 {{ font-size: 1.1rem }}
}}
</style>
</head>
<body><main><h1>{heading}</h1>{body}</main></body>
</html>
"""
    headers = HEADERS | {"Content-Security-Policy": POLICY}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
