// TLS on both sides, by OpenSSL on the sockets themselves: an idle connection keeps neither buffers nor BIO
// pairs.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/config.hpp"

namespace boshd {

struct SslDeleter {
  void operator()(SSL*) const;
  void operator()(SSL_CTX*) const;
};
using Ssl = std::unique_ptr<SSL, SslDeleter>;
using SslContext = std::unique_ptr<SSL_CTX, SslDeleter>;

/// The certificates of the listeners. Connections keep what they began with, so a reload replaces the whole.
class ServerTls {
 public:
  struct Known {
    std::vector<std::string> names;
    std::string file;
    std::chrono::system_clock::time_point begins;
    std::chrono::system_clock::time_point expires;
    Written written;
  };

  /// Throws ConfigError that names the file and what is wrong with it, std::runtime_error if it can't be
  /// read.
  explicit ServerTls(const TlsSettings&);

  /// The side of a client's connection; it begins with the first read. nullptr when memory is short.
  Ssl accept() const;
  const std::vector<Known>& certificates() const { return certificates_; }

 private:
  SslContext context_;
  std::vector<Known> certificates_;
};

/// Connections to servers: of one `ca`.
class ClientTls {
 public:
  /// `ca`: a file in PEM; empty: the system's. Throws like ServerTls.
  explicit ClientTls(const std::string& ca, const Written& = {});

  /// `domain`: what the server is to prove to be (ASCII); `verify`: whether it has to; `direct`: TLS from the
  /// first byte, so ALPN tells the protocol (U-053).
  Ssl connect(const std::string& domain, bool verify, bool direct) const;

 private:
  SslContext context_;
};

/// All that TLS takes from files. Shared by the threads; a reload replaces the whole, but files whose bytes
/// are the same are not loaded again.
class TlsFiles {
 public:
  /// Throws like ServerTls. `before`: what was loaded the last time.
  explicit TlsFiles(const Config&, const TlsFiles* before = nullptr);

  std::shared_ptr<const ServerTls> server;
  std::map<std::string, std::shared_ptr<const ClientTls>> clients;  // by `ca`

 private:
  TlsSettings settings_;
  std::string server_digest_;
  std::map<std::string, std::string> client_digests_;
};

/// What is wrong with certificates that could be read: the time is not theirs. A message for each.
std::vector<std::string> time_faults(const ServerTls&, std::chrono::system_clock::time_point now);

/// What is wrong with the server's certificate or handshake, in words; empty when nothing is.
std::string handshake_fault(SSL*);
/// Whether the peer's certificate is for this XMPP domain, in ASCII (RFC 6120 §13.7.2.1): SRV-ID, XmppAddr,
/// DNS-ID, IP-ID for an address; never the common name.
bool is_certified_for(SSL*, std::string_view domain);
bool is_certified_for(const X509*, std::string_view domain);

/// A name out of a certificate: exact, or with "*" as its whole first label (U-062, U-065, U-066).
bool matches_name(std::string_view pattern, std::string_view name);

}  // namespace boshd
