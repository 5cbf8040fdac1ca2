// The guided tours: for each a list of steps. A step is one sentence; `does` is what the page does for the person, and
// `until` what it waits for: "answer" of the app, that a dialog says something and is closed after that, or that the
// person acts as somebody, has a place open or a fault chosen.
// A step without `until` is only read.
//
// Controls are named by the start of their action_id, options of a menu by their value, because the words may change.

const actAs = (handle, text) => ({ text, does: { as: handle }, until: { as: handle } });
const say = (command, text) => ({ text, does: { open: "customer-care", say: command }, until: "answer" });
const press = (action, text) => ({ text, does: { press: action }, until: "answer" });
const choose = (action, option, text) => ({ text, does: { press: action, option }, until: "answer" });
const connect = (action, text) => ({ text, does: { connect: action }, until: { said: " is connected " } });
const read = (text) => ({ text });
const openMessages = (text) => ({ text, does: { open: "cobrowse" }, until: { open: "cobrowse" } });
const chooseFault = (fault, text) => ({ text, does: { fault }, until: { fault } });

export const TOURS = [
  {
    title: "Agent on the phone",
    steps: [
      actAs("ana", "Ana is on the phone with a customer who cannot pay."),
      say("/cobrowse Checkout help", "She types /cobrowse and a name for the session."),
      read("Only she sees the answer, which has the link for her customer."),
      say("/cobrowse send +14155550123", "Her customer has a mobile phone, so she sends the link to its number."),
      press("send_link", "The bot asks before it sends anything, and she confirms."),
      read("Open “The customer's phone” below to see what the customer got."),
      say("/cobrowse end", "Her customer has paid, so she ends the session."),
    ],
  },
  {
    title: "Genesys fails",
    steps: [
      actAs("ana", "Ana works while Genesys has a bad day."),
      chooseFault("down", "Genesys cannot be reached."),
      say("/cobrowse Refund", "Ana asks for a session and reads what happened and what to do."),
      chooseFault("", "Genesys works again."),
      press("try_again", "She tries again, and the link takes the place of the error."),
      read("The traffic below shows each request, and that none was sent twice."),
    ],
  },
  {
    title: "A supervisor ends it",
    steps: [
      actAs("sam", "Sam is a supervisor."),
      say("/cobrowse @ana Card payment", "He starts a session for Ana, who takes the call."),
      actAs("ana", "Ana is told by the bot."),
      openMessages("She opens the bot's messages and has the link, too."),
      actAs("sam", "Sam sees that the customer has hung up."),
      say("/cobrowse list", "He lists the sessions that are open."),
      choose("row_menu", "end", "He ends Ana's session from the menu of its row."),
      actAs("ana", "Ana is told again."),
      read("She reads that her session is over."),
    ],
  },
  {
    title: "New agent without a user",
    steps: [
      actAs("una", "Una is new, and no rule finds her Genesys user."),
      say("/cobrowse First customer", "She asks for a session and reads that one step is left."),
      press("ask_access", "One press asks the administrator to connect her."),
      actAs("ada", "Ada is the administrator."),
      openMessages("The bot has told her who asks, and what it tried."),
      press("connect_person", "She opens the dialog that connects Una."),
      connect("connect_person", "She finds Una's user in Genesys, chooses it and closes the dialog."),
      actAs("una", "Una has a message that she can start now."),
      say("/cobrowse First customer", "She asks again and gets her link."),
    ],
  },
];
