// The panel at the right: how the sandbox's Genesys behaves, workflow steps, and the traffic.

import { byId } from "../ui/element.js";
import { listenToFaults, showFault, showFaults } from "./faults.js";
import { listenToLiveConversations, showLiveConversations } from "./live-conversations.js";
import { addTraffic, showTraffic } from "./traffic.js";
import { WorkflowPanel } from "./workflow.js";

export class Panel {
  constructor(workspace) {
    this.workflow = new WorkflowPanel(workspace);
    listenToFaults();
    listenToLiveConversations();
  }

  // The server's events that concern only this panel, by type.
  get handlers() {
    return {
      traffic: addTraffic,
      fault: showFault,
      live_conversations: showLiveConversations,
      execution: (execution) => this.workflow.update(execution),
    };
  }

  load({ faults, fault, live_conversations, outbox_url, traffic, steps, executions }) {
    showFaults(faults, fault);
    showLiveConversations(live_conversations);
    showOutbox(outbox_url);
    showTraffic(traffic);
    this.workflow.load(steps, executions);
  }
}

// `url` is empty when the sandbox's Genesys sends nothing to customers.
function showOutbox(url) {
  byId("outbox").hidden = !url;
  if (url) byId("outbox").href = url;
}
