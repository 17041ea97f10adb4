-- Takes what boshd tells of a client's URL (`[upstream] query` in boshd.toml) before the client logs in, and puts it
-- where other modules look:
--
--   session.boshd_query                  all parameters, by name
--   session.jitsi_web_query_room, session.auth_token, session.previd
--                                        `room`, `token` and `previd`, as Jitsi's modules know them
--
-- Other modules may also hook "boshd-query", an event with `session` and `query`.
--
-- Whoever can reach this port can say these things. Let it be boshd's alone.

local jitsi_names = { room = "jitsi_web_query_room", token = "auth_token", previd = "previd" };

module:hook("stanza/urn:boshd:query:0:query", function (event)
	local session, stanza = event.origin, event.stanza;
	if session.type ~= "c2s_unauthed" then return; end
	local query = {};
	for parameter in stanza:childtags("parameter") do
		query[parameter.attr.name] = parameter:get_text() or "";
	end
	session.boshd_query = query;
	for name, place in pairs(jitsi_names) do
		session[place] = query[name] or session[place];
	end
	module:fire_event("boshd-query", { session = session, query = query });
	return true;
end);
