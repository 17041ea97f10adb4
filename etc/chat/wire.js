// What a message takes, from the moment it is sent until it comes back: the time, and the bytes on the wire.
//
// Counted are the bodies of HTTP requests and answers, and the frames of WebSockets with their headers. A page cannot
// see how long HTTP's headers are; PerformanceResourceTiming's transferSize is the body and 300 bytes in any case.

const size = (text) => new TextEncoder().encode(text).length;

// RFC 6455, section 5.2: two bytes, the longer forms of the length, and the mask of what a client sends.
export function frameSize(payload, masked) {
  const longer = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
  return 2 + longer + (masked ? 4 : 0) + payload;
}

export class Meter {
  #open = new Map();  // id of a message that is under way → { began, bytes }
  #heard = 0;         // when something came last

  begin(id) {
    this.#open.set(id, { began: undefined, bytes: 0 });
  }

  // The time in milliseconds, without what the page does before and after, and the bytes; nothing if none began.
  end(id) {
    const message = this.#open.get(id);
    if (!this.#open.delete(id)) return undefined;
    return { time: this.#heard - message.began, bytes: message.bytes };
  }

  forget() {
    this.#open.clear();
  }

  // Both say whether it was for a message.
  sent(text, bytes) {
    for (const [id, message] of this.#open) if (text.includes(id)) message.began ??= performance.now();
    return this.#count(bytes);
  }

  received(bytes) {
    this.#heard = performance.now();
    return this.#count(bytes);
  }

  #count(bytes) {
    for (const message of this.#open.values()) message.bytes += bytes;
    return this.#open.size > 0;
  }
}

// Makes the page's requests and WebSockets count themselves. What travels is counted before the one who waits for it is
// called. A request that was open before the message belongs to it if it is answered then.
export function countOn(meter) {
  globalThis.XMLHttpRequest = class extends XMLHttpRequest {
    #uncounted = 0;

    constructor() {
      super();
      this.addEventListener('readystatechange', () => {
        if (this.readyState !== XMLHttpRequest.DONE || this.status !== 200) return;
        if (meter.received(this.#uncounted + size(this.responseText))) this.#uncounted = 0;
      });
    }

    send(body) {
      const bytes = size(body);
      this.#uncounted = meter.sent(body, bytes) ? 0 : bytes;
      super.send(body);
    }
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...settings) {
      super(...settings);
      this.addEventListener('message', ({ data }) => meter.received(frameSize(size(data), false)));
    }

    send(data) {
      meter.sent(data, frameSize(size(data), true));
      super.send(data);
    }
  };
}
