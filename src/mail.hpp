// What shards tell each other. Plain values that own all they carry.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "bosh/session.hpp"
#include "src/config.hpp"
#include "src/connection.hpp"
#include "src/forwarding.hpp"
#include "src/http_response.hpp"
#include "src/listener.hpp"
#include "src/sid.hpp"

namespace boshd {

/// What is wrong with a request that names a session.
enum class Fault { none, malformed, too_large };

/// A request on its way to its session.
struct Delivery {
  bosh::Arrival arrival;
  Sid sid;
  bosh::Body body;
  Fault fault = Fault::none;
  bool script = false;    // in script syntax (XEP-0252)
  bool tls = false;       // the client spoke TLS, to us or to its proxy
  std::size_t bytes = 0;  // of the request's body
  std::string fault_text;
};

/// An answer on its way to its connection. Status 0: none, the connection is closed.
struct Reply {
  bosh::Exchange to;
  bosh::Response response;
  bosh::Time since{};  // as in bosh::Answer
};

/// The connection of a waiting request is gone.
struct Lost {
  bosh::Exchange exchange;
  Sid sid;
};

/// A client's connection moves to the shard of its session for good, with the request that named it.
struct Move {
  Connection::Released socket;
  Peer peer;
  std::shared_ptr<const Listen> listen;
  HttpContext context;
  Delivery first;
  std::string rest;                  // bytes behind that request
  std::unique_ptr<Address> proxy{};  // the peer itself, if a PROXY header names the client
};

/// The configuration was read anew.
struct Reloaded {
  struct Listener {
    ListenerId id;
    int descriptor;  // -1: it is being served already
    std::shared_ptr<const Listen> listen;
  };
  std::shared_ptr<const Config> config;
  std::shared_ptr<const TlsFiles> tls;
  std::vector<Listener> listeners;  // all there are from now on; others take no new connections
};

using Mail = std::variant<Delivery, Reply, Lost, Move, Reloaded>;

}  // namespace boshd
