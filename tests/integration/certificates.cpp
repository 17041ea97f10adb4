#include "tests/integration/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tests/integration/wire.hpp"

namespace integration {

namespace {

constexpr long day = 24L * 60 * 60;

void check(bool right, const char* what) {
  if (!right) throw Failure(std::string("OpenSSL: ") + what);
}

Key new_key() {
  return Key(EVP_EC_gen("P-256"));
}

void extend(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  check(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

CertificatePointer new_certificate(const Claim& claim, EVP_PKEY* key, bool authority, const X509* issuer,
                                   EVP_PKEY* issuer_key) {
  CertificatePointer certificate(X509_new());
  X509* made = certificate.get();
  X509_set_version(made, X509_VERSION_3);
  unsigned char serial[8];
  RAND_bytes(serial, sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial[0] | std::uint64_t{serial[1]} << 8 | 1U << 20);
  X509_gmtime_adj(X509_getm_notBefore(made), claim.days_from * day);
  X509_gmtime_adj(X509_getm_notAfter(made), claim.days_until * day);
  X509_set_pubkey(made, key);
  X509_NAME* name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(claim.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made, issuer ? X509_get_subject_name(issuer) : name);
  extend(made, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!claim.names.empty()) extend(made, NID_subject_alt_name, claim.names);
  check(X509_sign(made, issuer_key, EVP_sha256()) > 0, "sign");
  return certificate;
}

std::string take(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string to_pem(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return take(bio);
}

std::string to_pem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return take(bio);
}

}  // namespace

void KeyDeleter::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}
void KeyDeleter::operator()(X509* certificate) const {
  X509_free(certificate);
}

std::string srv_name(std::string_view name) {
  return "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:" + std::string(name);
}
std::string xmpp_address(std::string_view domain) {
  return "otherName:1.3.6.1.5.5.7.8.5;UTF8:" + std::string(domain);
}

Authority::Authority(std::string_view name, const Authority* above) : key_(new_key()) {
  Claim claim;
  claim.common_name = name;
  certificate_ = new_certificate(claim, key_.get(), true, above ? above->certificate_.get() : nullptr,
                                 above ? above->key_.get() : key_.get());
}

Identity Authority::issue(const Claim& claim, bool chain) const {
  const Key key = new_key();
  const auto made = new_certificate(claim, key.get(), false, certificate_.get(), key_.get());
  return {to_pem(made.get()) + (chain ? pem() : ""), to_pem(key.get())};
}

std::string Authority::pem() const {
  return to_pem(certificate_.get());
}

Identity self_signed(const Claim& claim) {
  const Key key = new_key();
  return {to_pem(new_certificate(claim, key.get(), false, nullptr, key.get()).get()), to_pem(key.get())};
}

}  // namespace integration
