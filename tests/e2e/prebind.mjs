// A program that begins a session and logs in, for another client to go on with it:
//
//   node prebind.mjs URL JID PASSWORD [PEER]
//
// It prints { jid, sid, rid } and ends. For a PEER it says that it is there, and then waits for an answer until it is
// killed.
import './xhr.mjs';
import { Client } from './client.js';

const [url, jid, password, peer] = process.argv.slice(2);
const client = new Client(url);
const { connection } = client;
const tell = () => {
  const { sid, rid } = connection._proto;
  console.log(JSON.stringify({ jid: client.jid, sid, rid }));
};

if ((await client.connect(jid, password)) !== 'connected') throw new Error(`no login: ${client.events}`);
if (peer) {
  connection.rawOutput = tell;
  client.say(peer, 'I am there');
} else {
  connection.pause();
  tell();
  process.exit();
}
