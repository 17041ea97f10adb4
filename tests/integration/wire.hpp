// One end of a stream socket with blocking calls. Everything that waits has a deadline that only a failure
// reaches.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "tests/integration/certificates.hpp"

namespace integration {

/// How long anything is waited for before the test fails. No daemon under test has a shorter timer unless its
/// test is about that timer, so whatever arrives within it was not sent by a timer.
inline constexpr std::chrono::seconds patience{20};

/// What a wait throws when the deadline came first, or the other end closed. It ends the test case.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return value_; }
  void close();

 private:
  int value_ = -1;
};

struct SslDeleter {
  void operator()(SSL*) const;
};

/// What a client does in TLS.
struct TlsClient {
  std::string ca;           // in PEM; empty: any certificate is fine
  std::string name{};       // for SNI
  std::string protocols{};  // ALPN, each with its length in front
  int max_version = 0;
};

class Wire {
 public:
  Wire() = default;
  explicit Wire(Descriptor socket);
  /// To 127.0.0.1.
  static Wire connect(std::uint16_t port);
  /// To a Unix socket.
  static Wire connect(const std::string& path);

  /// From here on by TLS; returns when it stands, throws when the other end refuses.
  void start_tls(const TlsClient&);
  void accept_tls(const Identity&, bool answers_alpn = false, int max_version = 0);
  /// What the client asked for.
  std::string server_name() const;
  /// The protocol that was agreed on.
  std::string protocol() const;
  SSL* tls() const { return ssl_.get(); }

  /// Sends all of it.
  void send(std::string_view);
  /// Sends what goes without waiting; returns how much.
  std::size_t send_some(std::string_view);

  /// Up to and with `mark`; what follows is kept for the next call.
  std::string read_until(std::string_view mark);
  std::string read(std::size_t bytes);
  /// Everything up to the other end's FIN or RST.
  std::string read_to_end();
  /// What has arrived, without waiting; nothing at all at the other end's FIN or RST.
  std::optional<std::string> read_available();
  /// Whether something is there to be read, or the end, without waiting.
  bool readable() const { return readable_within({}); }
  bool readable_within(std::chrono::milliseconds) const;
  /// Whether the kernel takes anything at all, without waiting.
  bool writable() const;
  int descriptor() const { return socket_.get(); }
  bool is_open() const { return socket_.get() >= 0; }

  /// FIN; reading goes on.
  void finish();
  /// FIN and no more reading.
  void close() { socket_.close(); }
  /// RST.
  void reset();
  /// How much the kernel keeps for sending.
  void set_send_buffer(int bytes);

 private:
  bool read_more(std::string_view wanted);
  void shake_hands();

  Descriptor socket_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
  std::string buffer_;
};

/// False at the deadline.
bool wait_readable(int descriptor);
bool is_readable(int descriptor);
/// A start of `text` for messages.
std::string excerpt(std::string_view text);

}  // namespace integration
