-- Ports for clients that come through boshd with `[upstream] proxy_protocol`: each of their connections begins with a
-- PROXY header, version 1 or 2, which says whose browser it is for. That is the address for the log and all limits then.
--
--   boshd_proxy_ports = { 15222 }
--   boshd_proxy_interfaces = { "127.0.0.1", "::1" }      -- the default
--
-- What follows the header is as on an ordinary port for clients, STARTTLS too; TLS at once is not understood.
--
-- Whoever can reach this port can say any address. Let it be boshd's alone.

module:set_global();

local portmanager = require "core.portmanager";
local ntop = require "util.net".ntop;

local signature = "\r\n\r\n\0\r\nQUIT\n";
local head_size = 16;
local longest_line = 107;
local longest_binary = 1024;
local address_sizes = { [0x11] = 4, [0x21] = 16 };  -- by family and transport: TCP over IPv4, over IPv6

-- Both readers return the size of the header and the address in it, if any; nothing while it isn't whole; or false when
-- it is none.
local function read_line(bytes)
	local line = bytes:match("^PROXY [^\r\n]*\r\n");
	if not line then return #bytes < longest_line and nil; end
	if #line > longest_line then return false; end
	if line:match("^PROXY UNKNOWN[ \r]") then return #line; end
	local address = line:match("^PROXY TCP[46] (%x[%x.:]*) [%x.:]+ %d+ %d+\r\n$");
	return address and #line or false, address;
end

local function read_binary(bytes)
	if #bytes < head_size then return nil; end
	local command, family, high, low = bytes:byte(13, head_size);
	local size = head_size + high * 256 + low;
	if size > longest_binary or command ~= 0x20 and command ~= 0x21 then return false; end
	if #bytes < size then return nil; end
	local address_size = address_sizes[family];
	if command == 0x20 or not address_size then return size; end
	if size < head_size + 2 * address_size + 4 then return false; end
	return size, ntop(bytes:sub(head_size + 1, head_size + address_size));
end

local function read_header(bytes)
	local start = bytes:sub(1, #signature);
	if start == signature:sub(1, #start) then return read_binary(bytes); end
	if start:sub(1, 6) == ("PROXY "):sub(1, #start) then return read_line(bytes); end
	return false;
end

local pending = {};
local listener = { default_mode = "*a" };

function listener.onincoming(conn, data)
	local bytes = (pending[conn] or "") .. (data or "");
	local size, address = read_header(bytes);
	if size == nil then
		pending[conn] = bytes;
		return;
	end
	pending[conn] = nil;
	local service = portmanager.get_service("c2s");
	if not size or not service then
		module:log("warn", "A connection from %s does not begin with a PROXY header: closed", conn:ip());
		conn:close();
		return;
	end
	if address then
		conn.ip = function () return address; end
	end
	local clients = service.listener;
	conn:setlistener(clients);
	clients.onconnect(conn);
	if #bytes > size then return clients.onincoming(conn, bytes:sub(size + 1)); end
end

function listener.ondisconnect(conn)
	pending[conn] = nil;
end
listener.ondetach = listener.ondisconnect;

module:provides("net", {
	name = "boshd_proxy";
	private = true;
	listener = listener;
});
