"""A workflow's step that starts a session: by which ids of Slack's its outcome finds back to the workflow.

All of it is in the request, so that another replica can answer what this one took. Who the session is for was put into
the step by whoever built the workflow; they are the requester and the host, and have not asked for anything themselves.
"""

from dataclasses import dataclass

from bot.core.models import Request, RequestKind

STARTS = (RequestKind.START, RequestKind.STEP)


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One run of the step: its own id, and that of the run of the workflow ("" where Slack gave none).

    Slack names no workflow in the event, so its run is what there is to find it by.
    """

    execution_id: str
    workflow_execution_id: str = ""

    @property
    def key(self) -> str:
        """Of the request: what Slack delivers twice is one."""
        return f"step:{self.execution_id}"

    @property
    def argument(self) -> str:
        """Of the request. It makes each run a wish of its own: two customers never get one session."""
        return f"{self.execution_id} {self.workflow_execution_id}".strip()


def step_of(request: Request) -> WorkflowStep | None:
    """The step a request came from."""
    if request.kind is not RequestKind.STEP or not request.argument:
        return None
    execution_id, _, workflow_execution_id = request.argument.partition(" ")
    return WorkflowStep(execution_id, workflow_execution_id)


def is_unasked(request: Request) -> bool:
    """Whether the host did not ask for the session, so that they have to be told of it."""
    return request.for_another or request.kind is RequestKind.STEP
