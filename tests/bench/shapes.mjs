// How the clients of a load speak, and whom they speak to.
import { peers, startBoshd, startFloor } from './programs.mjs';

const one = { name: 'BOSH, one request', options: { requests: 1 } };
export const two = { name: 'BOSH, two requests', options: {} };
export const web = { name: 'WebSocket', options: { websocket: 1 } };
export const shapes = [two, one, web];
// Where it doesn't matter how many requests a client has.
export const transports = [{ ...two, name: 'BOSH' }, web];

export const boshd = { name: 'boshd', start: (server) => startBoshd(server) };
export const floor = { name: 'floor', start: startFloor };

// Those that were asked for and speak the transport.
export const peersFor = ({ peers: names }, shape) => names
  .filter((name) => shape !== web || peers[name].websocket)
  .map((name) => ({ name, start: peers[name].start, peer: true }));
