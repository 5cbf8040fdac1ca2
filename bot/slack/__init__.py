"""The door people use: turns Slack's payloads into requests and outcomes into messages. Decides nothing."""
