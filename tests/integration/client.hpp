// The browser's side: HTTP as raw bytes, and BOSH sessions on top.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/daemon.hpp"
#include "tests/integration/fake_server.hpp"
#include "tests/integration/wire.hpp"

namespace integration {

struct Response {
  unsigned status = 0;
  std::string head;  // up to and with the empty line
  std::string body;

  /// A header's value, empty when it is missing.
  std::string header(std::string_view name) const;
};

/// One connection to boshd. Requests go out as they are given; answers are read in order.
class HttpClient {
 public:
  explicit HttpClient(const Daemon& daemon) : HttpClient(Wire::connect(daemon.port())) {}
  explicit HttpClient(Wire&& connected) : wire(std::move(connected)) {}

  void send(std::string_view bytes) { wire.send(bytes); }
  /// `headers`: whole lines with CRLF.
  void post(std::string_view body, std::string_view headers = {}) { send(post_bytes(body, headers)); }
  /// The next answer. `head_only`: to HEAD, which has no body whatever its length says.
  Response answer(bool head_only = false);
  Response ask(std::string_view body, std::string_view headers = {}) {
    post(body, headers);
    return answer();
  }

  static std::string post_bytes(std::string_view body, std::string_view headers = {},
                                std::string_view path = "/http-bind");
  Wire wire;
};

/// `<body/>` with these attributes, its namespaces and this payload.
std::string body_element(std::string_view attributes, std::string_view payload = {});
std::string attribute(std::string_view name, std::uint64_t value);
/// The value of an attribute of the root, empty when it is missing.
std::string root_attribute(std::string_view xml, std::string_view name);
/// What is in the root.
std::string content(std::string_view xml);
/// Without declarations of jabber:client, which may stand at an element or at what is around it.
std::string without_namespace(std::string_view xml);

/// `<message id='…'><body>…</body></message>`, as it stands in a stream.
std::string message(std::uint64_t id);
std::string messages(std::uint64_t first, std::uint64_t last);
/// The ids of the messages in it, in order.
std::vector<std::uint64_t> ids(std::string_view xml);

/// What an answer says, to compare with: its content without declarations of jabber:client; "terminate
/// item-not-found", "terminate", "error" before the content when it has a type; "HTTP 404" when it is none of
/// BOSH's.
std::string said(const Response&);

bool has(std::string_view text, std::string_view part);
/// Every answer has CORS, no-store and nosniff, whatever it says (D-023, D-040, D-103).
void check_headers(const Response&);

/// Settings of a daemon whose clients are many, all with one address.
inline constexpr std::string_view unlimited =
    "limits.authentication_timeout = \"1h\"\nlimits.sessions_per_address = 0\nlimits.new_sessions_per_second "
    "= 0\n"
    "limits.requests_per_second = 0\nlimits.login_failures = 0\n";

enum class ServerOn { tcp, unix_socket };

/// A server, a daemon of one thread in front of it, and no timer below `patience`; no proxy is trusted.
class Bridge {
 public:
  /// `settings` are added to these, or stand instead of them.
  explicit Bridge(std::string_view settings = {}, ServerOn = ServerOn::tcp);

  HttpClient connect() const { return HttpClient(daemon); }
  /// What the daemon is given for `settings`.
  std::string whole(std::string_view settings) const;
  void reload(std::string_view settings) { daemon.reload(whole(settings)); }
  /// Returns when the daemon has handled everything that had reached it before, if that takes no more turns
  /// of its loop.
  void settle(int turns = 3);

 private:
  TemporaryDirectory directory_;

 public:
  FakeServer server;
  Daemon daemon;

 private:
  HttpClient probe_;
};

/// A client's session and the server's end of it. Connections are the test's: a session may use any.
class Session {
 public:
  static constexpr std::string_view usual =
      "to='example.org' wait='60' hold='1' ver='1.6' xmpp:version='1.0'";

  /// Opens it on `client`; the server accepts and sends its features.
  Session(Bridge&, HttpClient& client, std::string_view attributes = usual);

  /// The body of the next request.
  std::string next(std::string_view payload = {}, std::string_view attributes = {});
  /// The body of a request with any rid.
  std::string at(std::uint64_t rid, std::string_view payload = {}, std::string_view attributes = {}) const;
  /// Sends the next request and waits until the daemon has taken it: it carries a message to the server.
  void hold(HttpClient&);
  /// The same with a given rid.
  void hold_at(HttpClient&, std::uint64_t rid);

  std::string sid;
  std::uint64_t rid;  // of the latest request
  Response created;
  std::string server_saw;  // the stream header
  Wire server;
};

}  // namespace integration
