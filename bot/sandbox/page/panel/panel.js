// The panel at the right: how the sandbox's Genesys behaves, workflow steps, and the traffic.

import { listenToCustomerPhone, refreshOnSending, showCustomerPhone } from "./customer-phone.js";
import { listenToFaults, showFault, showFaults } from "./faults.js";
import { listenToLiveConversations, showLiveConversations } from "./live-conversations.js";
import { addTraffic, showTraffic } from "./traffic.js";
import { WorkflowPanel } from "./workflow.js";

export class Panel {
  constructor(workspace) {
    this.workflow = new WorkflowPanel(workspace);
    listenToFaults();
    listenToLiveConversations();
    listenToCustomerPhone();
  }

  // The server's events that concern only this panel, by type.
  get handlers() {
    return {
      traffic: showRequest,
      fault: showFault,
      live_conversations: showLiveConversations,
      execution: (execution) => this.workflow.update(execution),
    };
  }

  load({ faults, fault, live_conversations, outbox_url, traffic, steps, executions }) {
    showFaults(faults, fault);
    showLiveConversations(live_conversations);
    showCustomerPhone(outbox_url);
    showTraffic(traffic);
    this.workflow.load(steps, executions);
  }
}

function showRequest(entry) {
  addTraffic(entry);
  refreshOnSending(entry);
}
