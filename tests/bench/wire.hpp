// One connection of the load generator, with or without TLS.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/net.hpp"

namespace bench {

/// Where the load goes, and from where.
struct Target {
  std::uint16_t port = 0;
  std::string path;
  std::string host;  // for the Host line
  bool tls = false;
};

/// Connects when it is made; what is said earlier goes when it can.
class Wire final : public Handler {
 public:
  /// `heard` gets all bytes that are not yet used up, and takes away what it uses.
  Wire(Loop&, const Target&, std::uint32_t source, std::function<void(std::string&)> heard);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void say(std::string_view bytes);
  void hang_up();
  void on_event(std::uint32_t events) override;
  bool closed() const { return closed_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  void flush();
  long receive();

  int descriptor_;
  std::unique_ptr<SSL, Free> ssl_;
  std::function<void(std::string&)> heard_;
  std::string in_;
  std::string out_;
  bool closed_ = false;
};

}  // namespace bench
