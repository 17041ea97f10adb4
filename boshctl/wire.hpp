// One connection with blocking calls that give up after a while.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "src/socket_address.hpp"
#include "src/tls.hpp"

namespace boshctl {

class Wire {
 public:
  explicit Wire(std::chrono::milliseconds patience) : patience_(patience) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Each says what went wrong; nothing: it is done.
  std::string connect(const boshd::SocketAddress&);
  std::string start_tls(boshd::Ssl);
  std::string send(std::string_view);
  /// Appends what comes next; "closed" at the other end's last byte.
  std::string receive(std::string& into);

  SSL* tls() const { return ssl_.get(); }
  /// How long connecting has taken.
  std::chrono::microseconds connect_time() const { return connect_time_; }
  /// Our own end.
  boshd::Endpoint local() const;

 private:
  bool wait(short events) const;

  std::chrono::milliseconds patience_;
  std::chrono::microseconds connect_time_{};
  int descriptor_ = -1;
  boshd::Ssl ssl_;
};

/// What the other end's certificate says, in a sentence: names, issuer, until when.
std::string describe_certificate(SSL*);
/// "TLSv1.3, TLS_AES_256_GCM_SHA384".
std::string describe_tls(SSL*);
/// How many days the other end's certificate is still valid.
long days_left(SSL*);

}  // namespace boshctl
