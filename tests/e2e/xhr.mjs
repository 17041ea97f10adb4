// What Strophe.js lacks in Node: WebSocket, and as much of XMLHttpRequest as it uses, over real HTTP with kept-alive
// connections.
import { webcrypto } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { DOMParser } from '@xmldom/xmldom';
import WebSocket from 'ws';

globalThis.WebSocket ??= WebSocket;
globalThis.crypto ??= webcrypto;  // Node 18 has it only there; without it Strophe knows no SCRAM

const protocols = {
  'http:': { request: http.request, agent: new http.Agent({ keepAlive: true }) },
  'https:': { request: https.request, agent: new https.Agent({ keepAlive: true }) },
};

globalThis.XMLHttpRequest = class {
  readyState = 0;
  status = 0;
  responseText = '';
  responseXML = null;
  #headers = {};
  #aborted = false;

  open(method, url) {
    this.method = method;
    this.url = url;
    this.#change(1);
  }
  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }
  overrideMimeType() {}
  getAllResponseHeaders() {
    return '';
  }
  getResponseHeader() {
    return null;
  }
  abort() {
    this.#aborted = true;
    this.request?.destroy();
  }
  send(body) {
    const bytes = Buffer.from(body);
    const headers = { ...this.#headers, 'Content-Length': bytes.length };
    const { request, agent } = protocols[new URL(this.url).protocol];
    this.request = request(this.url, { method: this.method, agent, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', () => this.#finish(0, ''));
      response.on('end', () => this.#finish(response.statusCode, Buffer.concat(chunks).toString()));
    });
    this.request.on('error', () => this.#finish(0, ''));
    this.request.end(bytes);
  }

  #finish(status, text) {
    this.status = status;
    this.responseText = text;
    if (status === 200) this.responseXML = new DOMParser().parseFromString(text, 'text/xml');
    this.#change(4);
  }
  #change(state) {
    this.readyState = state;
    if (!this.#aborted) this.onreadystatechange?.();
  }
};
