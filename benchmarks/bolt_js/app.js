// Bolt for JavaScript as its documentation shows it: ack, call the service, answer with respond().
// https://docs.slack.dev/tools/bolt-js/concepts/commands. Node's own fetch keeps its connections open.
import bolt from '@slack/bolt';

const createUrl = `${process.env.GENESYS_API_URL}/api/v2/conversations/cobrowse`;
const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${'t'.repeat(86)}` };
const socketMode = process.argv[2] === 'socket';

const app = new bolt.App({
  token: process.env.SLACK_BOT_TOKEN,
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  socketMode,
  appToken: process.env.SLACK_APP_TOKEN,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
  logLevel: bolt.LogLevel.WARN,
});

app.command('/cobrowse', async ({ ack, command, respond }) => {
  await ack();
  const order = {
    hostUserId: '11111111-1111-4111-8111-111111111111',
    application: { id: 'web', type: 'web' },
    sessionName: command.text,
    timeoutSeconds: 1800,
  };
  const response = await fetch(createUrl, { method: 'POST', headers, body: JSON.stringify(order) });
  const session = await response.json();
  await respond({ text: `The customer's link: ${session.joinUrl}`, response_type: 'ephemeral' });
});

await app.start(socketMode ? undefined : Number(process.env.PORT));
