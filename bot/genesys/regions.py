"""Map the name or the domain of a Genesys region to the network hosts of its API, login and web app (pure).

DOMAINS comes from https://developer.genesys.cloud/platform/api/
"""

import re

from bot.core.validation.text import plain

DOMAINS = {
    "us-east-1": "mypurecloud.com",
    "eu-west-1": "mypurecloud.ie",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "eu-central-1": "mypurecloud.de",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "ap-northeast-2": "apne2.pure.cloud",
    "eu-west-2": "euw2.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "us-east-2": "use2.us-gov-pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "eu-central-2": "euc2.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
}
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z]{{2,}}")


def urls(region: str) -> tuple[str, str]:
    """Return the base URLs of a region's API and of its login.

    `region`: a text such as `usw2.pure.cloud`, `us-west-2` or `https://login.mypurecloud.de`. A domain does not have
    to be in DOMAINS. Raises ValueError if `region` is neither the name of a region nor a domain.
    """
    domain = _domain(region)
    return f"https://api.{domain}", f"https://login.{domain}"


def apps_host(region: str) -> str:
    """Return the host name of a region's web app.

    Raises ValueError if `region` is neither the name of a region nor a domain.
    """
    return f"apps.{_domain(region)}"


def _domain(region: str) -> str:
    domain = re.sub(r"^https?://", "", plain(region).lower()).split("/")[0].replace("_", "-")
    domain = re.sub(r"^(?:api|login|apps)\.", "", domain)
    domain = DOMAINS.get(domain, domain)
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{region[:60]!r} is neither a Genesys Cloud region such as us-west-2 nor a domain")
    return domain
