// What an idle session costs: opens sessions with a held request each, or over WebSocket, waits until boshd's
// memory is at rest, and prints the resident bytes for each session and how many sessions each thread has.
//
//   cmake --build --preset release --target bench_idle
//   build/release/tests/integration/bench_idle [sessions [bosh|websocket|https]]
//
// Each session takes two sockets here and two in boshd: `ulimit -Hn` must allow that.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/integration/client.hpp"
#include "tests/integration/web_client.hpp"

namespace {

using namespace integration;

struct Idle {
  std::optional<HttpClient> bosh;
  std::optional<WebClient> web;
  std::string sid = {};
};

Idle hold_bosh(const Daemon& daemon, bool tls) {
  Idle session{HttpClient(daemon), {}};
  if (tls) session.bosh->wire.start_tls({});
  session.sid = root_attribute(
      session.bosh->ask(body_element("to='example.org' rid='1' wait='600' hold='1'")).body, "sid");
  session.bosh->post(body_element("rid='2' sid='" + session.sid + "'"));
  return session;
}

Idle open_web(const Daemon& daemon) {
  Idle session{{}, WebClient(daemon), "??"};
  session.web->say(web_open);
  session.web->hears();
  session.web->hears();
  return session;
}

/// The memory in use once it has not changed for five seconds: buffers and parsers are given back with a
/// delay.
std::size_t resident_at_rest(const Daemon& daemon) {
  std::size_t last = 0;
  for (int same = 0; same < 5;) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const std::size_t now = daemon.resident();
    same = now == last ? same + 1 : 0;
    last = now;
  }
  return last;
}

void measure(std::size_t count, std::string_view kind) {
  const bool tls = kind == "https";
  const TemporaryDirectory directory;
  const Identity identity = self_signed({.names = "DNS:localhost"});
  const EchoServer server;
  const Daemon daemon("threads = 2\nproxy.trusted = []\n" + std::string(unlimited) +
                      "session.wait = \"600s\"\nupstream.server = \"" + server.address() +
                      "\"\nlisten.tls = " + (tls ? "true" : "false") + "\ntls.certificate = [{ chain = \"" +
                      directory.write("chain.pem", identity.chain) + "\", key = \"" +
                      directory.write("key.pem", identity.key) + "\" }]");
  std::vector<Idle> sessions;
  const std::size_t before = resident_at_rest(daemon);
  while (sessions.size() < count)
    sessions.push_back(kind == "websocket" ? open_web(daemon) : hold_bosh(daemon, tls));
  const std::size_t after = resident_at_rest(daemon);
  std::map<std::string, std::size_t> threads;
  for (const Idle& session : sessions) ++threads[session.sid.substr(0, 2)];
  std::cout << count << " idle sessions: " << (after - before) / count << " resident bytes each ("
            << before / 1024 << " KiB before, " << after / 1024 << " KiB after)\n";
  for (const auto& [shard, held] : threads) std::cout << "thread " << shard << ": " << held << " sessions\n";
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::size_t usual = 2000;
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : usual;
  try {
    measure(std::max<std::size_t>(count, 1), argc > 2 ? argv[2] : "bosh");
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
