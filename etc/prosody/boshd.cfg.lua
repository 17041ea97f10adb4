-- Prosody behind boshd, and told from where each browser comes.
--
-- For /etc/prosody/conf.d/ (Prosody 0.12), with mod_boshd_proxy.lua in the folder below. Add "boshd_proxy" to
-- modules_enabled in prosody.cfg.lua. boshd.toml says:
--
--     [upstream]
--     server = "127.0.0.1:15222"
--     proxy_protocol = "v2"
--
-- mod_net_proxy of Prosody's community is for the same; Debian doesn't have it.

plugin_paths = { "/usr/local/lib/prosody/modules" }

-- Whoever reaches this port can say any address: loopback, or an address that boshd alone can reach.
boshd_proxy_ports = { 15222 }
boshd_proxy_interfaces = { "127.0.0.1" }
