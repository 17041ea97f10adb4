// The demo's chat: logs in over BOSH or WebSocket, joins a room, talks there and one to one. Text only: nothing received
// is HTML.
import { $msg, $pres, Strophe } from 'strophe.js';
import { Plots, transports } from './plot.js';
import { Traffic } from './traffic.js';
import { countOn, Meter } from './wire.js';

const { Status } = Strophe;
const muc = 'http://jabber.org/protocol/muc';
const element = (id) => document.getElementById(id);
const settings = await (await fetch('settings.json')).json();
const traffic = new Traffic(element('traffic'));
const plots = new Plots(element('plots'));
const meter = new Meter();
countOn(meter);

let connection;  // a new one for each login
let transport;   // 'bosh' or 'websocket'

// One for the room and one for each person talked to alone: { jid, name, lines: [{ from, text, mine } | { notice }], unread }
const conversations = new Map();
const occupants = new Map();  // nick → JID in the room
let current = settings.room;
let nick = '';

// --- What is seen ---

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function face(name) {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const made = make('span', { className: 'face', textContent: [...name][0]?.toUpperCase() ?? '?' });
  made.style.background = `hsl(${hue} 45% 45%)`;
  return made;
}

function conversation(jid, name) {
  if (!conversations.has(jid)) conversations.set(jid, { jid, name, lines: [], unread: 0 });
  return conversations.get(jid);
}

function drawConversations() {
  element('conversations').replaceChildren(...[...conversations.values()].map(({ jid, name, unread }) => {
    const button = make('button', { type: 'button', onclick: () => open(jid) }, face(name), name);
    button.dataset.jid = jid;
    button.setAttribute('aria-current', jid === current);
    if (unread) button.append(make('span', { className: 'unread', textContent: unread }));
    return button;
  }));
}

function drawOccupants() {
  element('occupants').replaceChildren(...[...occupants].sort().map(([name, jid]) => {
    const own = name === nick;
    const button = make('button', { type: 'button', disabled: own, onclick: () => talkTo(jid, name) }, face(name), own ? `${name} (you)` : name);
    button.dataset.jid = jid;
    return make('li', {}, button);
  }));
  element('subtitle').textContent = subtitle();
}

function subtitle() {
  if (current !== settings.room) return 'Between the two of you';
  return `${settings.room} · ${occupants.size} ${occupants.size === 1 ? 'person' : 'people'}`;
}

function drawLine({ notice, from, text, mine }) {
  if (notice) return make('li', { className: 'notice', textContent: notice });
  const line = make('li', { className: mine ? 'message mine' : 'message' }, face(from));
  line.append(make('span', { className: 'name', textContent: from }), make('span', { className: 'text', textContent: text }));
  return line;
}

function open(jid) {
  current = jid;
  const { name, lines } = conversations.get(jid);
  conversations.get(jid).unread = 0;
  element('title').textContent = name;
  element('subtitle').textContent = subtitle();
  element('composer-input').placeholder = `Message ${name}`;
  element('messages').replaceChildren(...lines.map(drawLine));
  scrollDown();
  drawConversations();
  element('composer-input').focus();
}

function scrollDown() {
  element('messages').scrollTop = element('messages').scrollHeight;
}

function add(jid, name, line) {
  const { lines } = conversation(jid, name);
  lines.push(line);
  if (jid === current) {
    element('messages').append(drawLine(line));
    scrollDown();
  } else {
    conversations.get(jid).unread += line.notice ? 0 : 1;
  }
  drawConversations();
}

function show(state, text) {
  element('status').dataset.state = state;
  element('status').textContent = text;
}

// --- What is heard ---

function onPresence(stanza) {
  const from = stanza.getAttribute('from');
  if (Strophe.getBareJidFromJid(from) !== settings.room) return true;
  const name = Strophe.getResourceFromJid(from);
  const type = stanza.getAttribute('type');
  if (type === 'error') {
    add(settings.room, 'lobby', { notice: 'The room did not let you in.' });
  } else if (type === 'unavailable') {
    if (occupants.delete(name)) add(settings.room, 'lobby', { notice: `${name} left` });
  } else if (!occupants.has(name)) {
    occupants.set(name, from);
    add(settings.room, 'lobby', { notice: name === nick ? 'You are in the room' : `${name} is here` });
  }
  drawOccupants();
  return true;
}

function onMessage(stanza) {
  const text = stanza.getElementsByTagName('body')[0]?.textContent;
  const from = stanza.getAttribute('from');
  if (!text || stanza.getAttribute('type') === 'error') return true;
  const sender = Strophe.getResourceFromJid(from) ?? from;
  if (stanza.getAttribute('type') === 'groupchat') {
    const measured = meter.end(stanza.getAttribute('id'));
    if (measured) plots.add(transport, measured);
    add(settings.room, 'lobby', { from: sender, text, mine: sender === nick });
  } else {
    const inRoom = Strophe.getBareJidFromJid(from) === settings.room;
    const name = inRoom ? sender : Strophe.getNodeFromJid(from) ?? from;
    add(inRoom ? from : Strophe.getBareJidFromJid(from), name, { from: name, text, mine: false });
  }
  return true;
}

// --- What is done ---

function talkTo(jid, name) {
  conversation(jid, name);
  open(jid);
}

function send(text) {
  const groupchat = current === settings.room;
  const id = connection.getUniqueId('chat');
  if (groupchat) meter.begin(id);
  connection.send($msg({ id, to: current, type: groupchat ? 'groupchat' : 'chat' }).c('body').t(text));
  connection.flush();
  if (!groupchat) add(current, conversations.get(current).name, { from: nick, text, mine: true });
}

function connected() {
  const jid = connection.jid;
  const guest = Strophe.getDomainFromJid(jid) === settings.anonymous && settings.anonymous !== settings.domain;
  const node = Strophe.getNodeFromJid(jid);
  nick = guest ? `guest-${node.slice(0, 4)}` : node;
  element('login').hidden = true;
  element('chat').hidden = false;
  element('me').textContent = Strophe.getBareJidFromJid(jid);
  element('me').title = jid;
  show('online', transports[transport]);
  traffic.follow();
  occupants.clear();
  conversation(settings.room, 'lobby');
  open(settings.room);
  connection.addHandler(onPresence, null, 'presence');
  connection.addHandler(onMessage, null, 'message');
  connection.send($pres());
  connection.send($pres({ to: `${settings.room}/${nick}` }).c('x', { xmlns: muc }));
  connection.flush();
}

const failures = { [Status.AUTHFAIL]: 'The server does not know this account or password.', [Status.CONNFAIL]: 'The connection failed' };

function onStatus(status, condition) {
  if (status === Status.CONNECTING || status === Status.AUTHENTICATING) element('login-error').textContent = 'Logging in …';
  if (status === Status.CONNECTED || status === Status.ATTACHED) {
    element('login-error').textContent = '';
    connected();
  }
  if (failures[status]) element('login-error').textContent = `${failures[status]}${condition ? ` (${condition})` : ''}`;
  if (status === Status.DISCONNECTED) {
    show('offline', 'offline');
    element('chat').hidden = true;
    element('login').hidden = false;
    conversations.clear();
    meter.forget();
  }
}

// A connection of its own for each login: an earlier one may still be ending.
function renew(name) {
  transport = name;
  const made = new Strophe.Connection(settings[name], { keepalive: name === 'bosh' });
  made.xmlInput = (body) => traffic.show('in', body);
  made.xmlOutput = (body) => traffic.show('out', body);
  connection = made;
  return (...status) => made === connection && onStatus(...status);
}

function login(jid, password) {
  connection.disconnect();
  const listener = renew(document.querySelector('input[name=transport]:checked').value);
  connection.connect(jid, password, listener);
}

element('login-jid').placeholder = `you@${settings.domain}`;
element('login-anonymous').onclick = () => login(settings.anonymous, '');
for (const { jid, password } of settings.accounts) {
  const name = Strophe.getNodeFromJid(jid);
  const button = make('button', { type: 'button', textContent: `As ${name[0].toUpperCase()}${name.slice(1)}`, onclick: () => login(jid, password) });
  button.dataset.account = jid;
  element('login-quick').append(button);
}
element('login').onsubmit = (event) => {
  event.preventDefault();
  login(element('login-jid').value.trim(), element('login-password').value);
};
element('composer').onsubmit = (event) => {
  event.preventDefault();
  const text = element('composer-input').value;
  element('composer-input').value = '';
  if (text.trim()) send(text);
};
element('logout').onclick = () => {
  connection.send($pres({ type: 'unavailable' }));
  connection.disconnect('logout');
};
element('traffic-clear').onclick = () => traffic.clear();

// After a reload a BOSH session goes on where it was.
try {
  const listener = renew('bosh');
  connection.restore(null, listener);
} catch {
  // There is none, or it is another account's: the login form stays.
}
