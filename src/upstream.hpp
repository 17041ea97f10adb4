// The connection of one session to its XMPP server.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bosh/outbox.hpp"
#include "src/config.hpp"
#include "src/connection.hpp"

namespace boshd {

class Shard;

/// Made by the shard with its session; tells the shard what happens under the session's id until `leave`. Its
/// pending operations keep it alive, so the shard may forget it at any time.
class UpstreamConnection
    : public boost::intrusive_ref_counter<UpstreamConnection, boost::thread_unsafe_counter> {
 public:
  UpstreamConnection(Shard&, std::uint64_t session, bosh::StreamId);

  /// Tries the server's addresses one after the other. `first_bytes` is written as soon as one answers.
  void connect(const Server&, std::string first_bytes);
  /// Writes at once what goes, keeps the rest. Before the connection stands everything is kept.
  void write(std::string_view bytes);
  /// Bytes that wait to be written.
  std::size_t unsent() const;
  /// Back-pressure: whether the server is read.
  void set_reading(bool);
  /// The session is over: writes the footer, then waits for the server to close. Nothing is told any more.
  void leave(std::string_view footer);
  /// The session is over and the server is to take the connection for lost: no footer.
  void drop();
  void close();

 private:
  using Pointer = boost::intrusive_ptr<UpstreamConnection>;

  void resolved(boost::system::error_code, const boost::asio::ip::tcp::resolver::results_type&);
  void try_next();
  void connected();
  void wait_to_read();
  void readable();
  void wait_to_write();
  void failed(std::string_view what);

  Shard& shard_;
  std::uint64_t session_;  // 0 once it has left
  bosh::StreamId stream_;
  std::optional<boost::asio::ip::tcp::resolver> resolver_;
  std::vector<boost::asio::generic::stream_protocol::endpoint> candidates_;  // the next one last
  std::optional<Connection::Socket> connecting_;
  std::optional<Connection> connection_;
  std::string before_connected_;
  bool reading_ = true;
  bool read_waiting_ = false;
  bool write_waiting_ = false;
};

}  // namespace boshd
