"""Write the alerts as an object of the Prometheus Operator, from deploy/prometheus-alerts.yml."""

from pathlib import Path

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-alerts.yml"
HEAD = """\
# Written by `make reference` from deploy/prometheus-alerts.yml, which says what the labels mean. Do not edit it.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: cobrowse-bot
  labels: {app.kubernetes.io/name: cobrowse-bot}
spec:
"""


def page() -> str:
    """Return the PrometheusRule as YAML. https://prometheus-operator.dev/docs/api-reference/api/"""
    text = RULES.read_text(encoding="utf-8")
    lines = text[text.index("groups:") :].splitlines()
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in lines)
