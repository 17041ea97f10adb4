#include "src/tls.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "src/address.hpp"
#include "src/domain.hpp"
#include "src/text.hpp"

namespace boshd {

namespace {

/// The latest complaint of OpenSSL, in words.
std::string complaint() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

[[noreturn]] void fail(const Written& written, const std::string& file, const std::string& what) {
  throw ConfigError(to_string(written) + file + ": " + what);
}

/// What the file holds, in short. Throws when it can't be read.
std::string digest_of(const std::string& path, const Written& written) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  std::string text;
  char part[4096];
  while (const auto size = file ? std::fread(part, 1, sizeof part, file.get()) : 0) text.append(part, size);
  if (!file || std::ferror(file.get()) != 0)
    throw std::runtime_error(to_string(written) + path +
                             ": can't be read: " + std::generic_category().message(errno) +
                             "; name a file that the user boshd runs as may read");
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
             nullptr);
  return digest;
}

/// The file of the system's authorities; it may be missing.
std::string system_digest() {
  const char* given = std::getenv(X509_get_default_cert_file_env());
  try {
    return digest_of(given ? given : X509_get_default_cert_file(), {});
  } catch (const std::runtime_error&) {
    return {};
  }
}

/// A key that wants a password would be asked for at the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

std::string print_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::chrono::system_clock::time_point read_time(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

SslContext new_context(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  if (!context) throw std::runtime_error("can't start TLS: " + complaint());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

std::string_view text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

struct NamesDeleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

/// Goes through the subject's alternative names until one is what is looked for.
template <class Look>
bool any_name(const X509* certificate, Look look) {
  const std::unique_ptr<GENERAL_NAMES, NamesDeleter> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (look(*sk_GENERAL_NAME_value(names.get(), i))) return true;
  return false;
}

/// The text of an otherName of this kind, which is written in dots.
std::string_view other_name(const GENERAL_NAME& name, const char* kind, int type) {
  char oid[32];
  if (name.type != GEN_OTHERNAME || name.d.otherName->value->type != type) return {};
  OBJ_obj2txt(oid, sizeof oid, name.d.otherName->type_id, 1);
  if (std::string_view(oid) != kind) return {};
  return text_of(name.d.otherName->value->value.asn1_string);
}

// --- Certificates of the listeners ---

struct Choice {
  std::vector<std::string> names;
  SslContext context;
};
using Choices = std::vector<Choice>;

void free_choices(void*, void* choices, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Choices*>(choices);
}
int choices_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_choices);
  return index;
}

/// Gives the client the certificate of the name it asks for; without one, that of the first.
int choose_certificate(SSL* ssl, int*, void*) {
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const auto* choices = static_cast<Choices*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), choices_index()));
  if (!asked || !choices) return SSL_TLSEXT_ERR_NOACK;
  for (const Choice& choice : *choices)
    for (const std::string& name : choice.names)
      if (matches_name(name, asked)) {
        SSL_set_SSL_CTX(ssl, choice.context.get());
        return SSL_TLSEXT_ERR_OK;
      }
  return SSL_TLSEXT_ERR_NOACK;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char http[] = "\x08http/1.1";
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(chosen), size, http, sizeof http - 1,
                                          offered, offered_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SslContext load(const Certificate& files, bool only_13) {
  SslContext context = new_context(TLS_server_method());
  if (only_13) SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.chain.c_str()) != 1)
    fail(files.chain_written, files.chain,
         "no certificate chain can be read from it (" + complaint() +
             "); name a file in PEM: the certificate first, then those that sign it");
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    const std::string why = complaint();
    if (other)
      fail(files.key_written, files.key,
           "is not the key of the certificate in " + files.chain +
               "; name the key that belongs to it, or the certificate that belongs to this key");
    fail(files.key_written, files.key,
         "no private key can be read from it (" + why + "); name a file in PEM without a password");
  }
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return context;
}

ServerTls::Known describe(SSL_CTX* context, const Certificate& files) {
  const X509* certificate = SSL_CTX_get0_certificate(context);
  ServerTls::Known known{{},
                         files.chain,
                         read_time(X509_get0_notBefore(certificate)),
                         read_time(X509_get0_notAfter(certificate)),
                         files.chain_written};
  any_name(certificate, [&](const GENERAL_NAME& name) {
    if (name.type == GEN_DNS) known.names.emplace_back(text_of(name.d.dNSName));
    return false;
  });
  return known;
}

}  // namespace

void SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}
void SslDeleter::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

ServerTls::ServerTls(const TlsSettings& settings) {
  auto choices = std::make_unique<Choices>();
  for (const Certificate& files : settings.certificates) {
    SslContext context = load(files, settings.only_13);
    certificates_.push_back(describe(context.get(), files));
    choices->push_back({certificates_.back().names, std::move(context)});
  }
  if (choices->empty()) return;
  context_ = load(settings.certificates.front(), settings.only_13);
  SSL_CTX_set_tlsext_servername_callback(context_.get(), choose_certificate);
  SSL_CTX_set_ex_data(context_.get(), choices_index(), choices.release());
}

Ssl ServerTls::accept() const {
  Ssl ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

ClientTls::ClientTls(const std::string& ca, const Written& written)
    : context_(new_context(TLS_client_method())) {
  if (ca.empty()) {
    SSL_CTX_set_default_verify_paths(context_.get());
    return;
  }
  if (SSL_CTX_load_verify_file(context_.get(), ca.c_str()) != 1)
    fail(written, ca, "no certificates can be read from it (" + complaint() + "); name a file in PEM");
  // A server's own certificate in the file is trusted like an authority's.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
}

Ssl ClientTls::connect(const std::string& domain, bool verify, bool direct) const {
  Ssl ssl(SSL_new(context_.get()));
  if (!ssl) return ssl;
  SSL_set_connect_state(ssl.get());
  SSL_set_verify(ssl.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!parse_ip(domain)) SSL_set_tlsext_host_name(ssl.get(), domain.c_str());
  static constexpr unsigned char xmpp[] = "\x0bxmpp-client";
  if (direct) SSL_set_alpn_protos(ssl.get(), xmpp, sizeof xmpp - 1);
  return ssl;
}

// --- All files ---

// A digest is taken before its file is loaded: should the file change in between, the next reload sees that.
TlsFiles::TlsFiles(const Config& config, const TlsFiles* before) : settings_(config.tls) {
  for (const Certificate& files : config.tls.certificates)
    server_digest_ += digest_of(files.chain, files.chain_written) + digest_of(files.key, files.key_written);
  if (before && before->settings_ == settings_ && before->server_digest_ == server_digest_)
    server = before->server;
  else
    server = std::make_shared<const ServerTls>(config.tls);
  const auto add = [&](const Servers& servers) {
    if (clients.contains(servers.ca)) return;
    std::string digest = servers.ca.empty() ? system_digest() : digest_of(servers.ca, servers.ca_written);
    const auto known = before ? before->client_digests_.find(servers.ca) : client_digests_.end();
    const bool same = before && known != before->client_digests_.end() && known->second == digest;
    clients.emplace(servers.ca, same ? before->clients.at(servers.ca)
                                     : std::make_shared<const ClientTls>(servers.ca, servers.ca_written));
    client_digests_.emplace(servers.ca, std::move(digest));
  };
  add(config.upstream.usual);
  for (const auto& [domain, servers] : config.upstream.own) add(servers);
}

std::vector<std::string> time_faults(const ServerTls& tls, std::chrono::system_clock::time_point now) {
  std::vector<std::string> faults;
  for (const ServerTls::Known& known : tls.certificates()) {
    const std::string where = to_string(known.written) + known.file + ": the certificate ";
    if (now >= known.expires)
      faults.push_back(where + "has expired on " + print_time(known.expires) + "; renew it, then reload");
    else if (now < known.begins)
      faults.push_back(where + "is not valid before " + print_time(known.begins) +
                       "; set the clock right, or wait");
  }
  return faults;
}

std::string handshake_fault(SSL* ssl) {
  const long result = SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ? X509_V_OK : SSL_get_verify_result(ssl);
  if (result != X509_V_OK) return X509_verify_cert_error_string(result);
  return ERR_peek_error() == 0 ? std::string() : complaint();
}

bool matches_name(std::string_view pattern, std::string_view name) {
  if (pattern.find('\0') != pattern.npos) return false;
  if (!pattern.starts_with("*.")) return equal_ignoring_case(pattern, name);
  const auto dot = name.find('.');
  // Not a whole top-level domain.
  return dot != name.npos && dot > 0 && pattern.find('.', 3) < pattern.size() - 1 &&
         equal_ignoring_case(pattern.substr(2), name.substr(dot + 1));
}

bool is_certified_for(const X509* certificate, std::string_view domain) {
  constexpr const char* xmpp_address = "1.3.6.1.5.5.7.8.5";
  constexpr const char* service_name = "1.3.6.1.5.5.7.8.7";
  constexpr std::string_view service = "_xmpp-client.";
  const auto literal = parse_ip(domain);
  return any_name(certificate, [&](const GENERAL_NAME& name) {
    if (name.type == GEN_IPADD) {
      const std::string_view bytes = text_of(name.d.iPAddress);
      return literal && bytes.size() == (is_ipv4(*literal) ? 4 : 16) &&
             std::equal(bytes.rbegin(), bytes.rend(), literal->bytes.rbegin(),
                        [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
    }
    if (literal) return false;
    if (name.type == GEN_DNS) return matches_name(text_of(name.d.dNSName), domain);
    const std::string_view srv = other_name(name, service_name, V_ASN1_IA5STRING);
    if (srv.size() > service.size() && equal_ignoring_case(srv.substr(0, service.size()), service))
      return matches_name(srv.substr(service.size()), domain);
    const auto address = ascii_domain(other_name(name, xmpp_address, V_ASN1_UTF8STRING));
    return address && *address == domain;
  });
}

bool is_certified_for(SSL* ssl, std::string_view domain) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  return certificate && is_certified_for(certificate, domain);
}

}  // namespace boshd
