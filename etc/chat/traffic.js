// The panel that shows bodies and frames as they travel: one entry each, coloured by direction, without anybody's secrets.

const most = 200;
const saslNamespace = 'urn:ietf:params:xml:ns:xmpp-sasl';
const hidden = new Set(['auth', 'challenge', 'response', 'success']);

function piece(text, kind) {
  const span = document.createElement('span');
  span.className = kind;
  span.textContent = text;
  return span;
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

// A node of the traffic as lines of text nodes and coloured spans; `inherited` is the parent's namespace. Strophe builds
// what it sends without real namespaces, so the attribute counts.
function* draw(node, depth, inherited) {
  const indent = '  '.repeat(depth);
  if (node.nodeType === Node.TEXT_NODE) {
    if (node.nodeValue.trim()) yield [indent, piece(escaped(node.nodeValue), 'word')];
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  const namespace = node.getAttribute('xmlns') ?? inherited;
  const line = [indent, piece(`<${node.nodeName}`, 'tag')];
  for (const { name, value } of node.attributes)
    if (name !== 'xmlns' || value !== inherited) line.push(` ${name}=`, piece(`"${escaped(value)}"`, 'value'));
  const secret = namespace === saslNamespace && hidden.has(node.localName) && node.textContent;
  const children = [...node.childNodes];
  const close = piece(`</${node.nodeName}>`, 'tag');
  if (!children.length) return yield [...line, piece('/>', 'tag')];
  line.push(piece('>', 'tag'));
  if (secret) return yield [...line, '…', close];
  if (children.every((child) => child.nodeType === Node.TEXT_NODE)) return yield [...line, piece(escaped(node.textContent), 'word'), close];
  yield line;
  for (const child of children) yield* draw(child, depth + 1, namespace);
  yield [indent, close];
}

export class Traffic {
  constructor(list) {
    this.list = list;
  }

  show(direction, body) {
    if (!(body instanceof Element)) return;  // of a server's <close/> Strophe gives the event
    const entry = document.createElement('li');
    entry.className = direction;
    const arrow = direction === 'out' ? '→ to boshd' : '← from boshd';
    entry.append(piece(`${new Date().toLocaleTimeString()}  ${arrow}`, 'when'));
    for (const line of draw(body, 0, null)) entry.append(...line, '\n');
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
    this.list.append(entry);
    while (this.list.children.length > most) this.list.firstChild.remove();
    if (atEnd) this.follow();
  }

  // To the end of the list, and from then on with it.
  follow() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  clear() {
    this.list.replaceChildren();
  }
}
