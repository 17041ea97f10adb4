// Certificates for tests, made by OpenSSL: an authority of our own and what it signs, right and wrong.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace integration {

struct KeyDeleter {
  void operator()(EVP_PKEY*) const;
  void operator()(X509*) const;
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;
using CertificatePointer = std::unique_ptr<X509, KeyDeleter>;

/// What a server shows, in PEM.
struct Identity {
  std::string chain;
  std::string key;
};

/// What a certificate is to say.
struct Claim {
  std::string names;  // as OpenSSL's subjectAltName has it: "DNS:example.org"; empty: none
  std::string common_name = "test";
  int days_from = -1;  // valid from and until, counted from now
  int days_until = 30;
};

/// Names of an XMPP service in a certificate (RFC 6120 §13.7.1.2.1).
std::string srv_name(std::string_view name);
std::string xmpp_address(std::string_view domain);

class Authority {
 public:
  /// `above`: signed by it, not by itself.
  explicit Authority(std::string_view name = "Test Authority", const Authority* above = nullptr);
  /// `chain`: with the authority's own certificate behind it.
  Identity issue(const Claim&, bool chain = false) const;
  /// Its own certificate.
  std::string pem() const;

 private:
  Key key_;
  CertificatePointer certificate_;
};

/// Signed with its own key.
Identity self_signed(const Claim&);

}  // namespace integration
