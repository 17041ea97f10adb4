#include "boshctl/wire.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace boshctl {

namespace {

constexpr const char* too_late = "no answer in time";
constexpr std::size_t most_names = 6;

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

/// DNS names, and that there are others.
std::string names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::string all;
  std::size_t count = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS || ++count > most_names) continue;
    all += (all.empty() ? "" : ", ") + text_of(name->d.dNSName);
  }
  if (count > most_names) all += ", …";
  return all.empty() ? "no DNS name" : all;
}

std::string issuer_of(const X509* certificate) {
  const X509_NAME* issuer = X509_get_issuer_name(certificate);
  for (const int part : {NID_commonName, NID_organizationName}) {
    const int at = X509_NAME_get_index_by_NID(issuer, part, -1);
    if (at >= 0) return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, at)));
  }
  return "nobody";
}

}  // namespace

Wire::~Wire() {
  ssl_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Wire::wait(short events) const {
  pollfd source{descriptor_, events, 0};
  return ::poll(&source, 1, static_cast<int>(patience_.count())) > 0;
}

std::string Wire::connect(const boshd::SocketAddress& address) {
  descriptor_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return std::strerror(errno);
  const auto begin = std::chrono::steady_clock::now();
  if (::connect(descriptor_, address.get(), address.size) != 0) {
    if (errno != EINPROGRESS) return std::strerror(errno);
    if (!wait(POLLOUT)) return too_late;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return std::strerror(error);
  }
  connect_time_ =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  return {};
}

std::string Wire::start_tls(boshd::Ssl ssl) {
  ssl_ = std::move(ssl);
  if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor_) != 1) return "out of memory";
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return {};
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return too_late;
      continue;
    }
    const std::string fault = boshd::handshake_fault(ssl_.get());
    return fault.empty() ? "the other end closed the connection" : fault;
  }
}

std::string Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (ssl_) {
      sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (sent <= 0 && SSL_get_error(ssl_.get(), static_cast<int>(sent)) != SSL_ERROR_WANT_WRITE)
        return "the connection broke";
    } else {
      sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return std::strerror(errno);
    }
    if (sent > 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (!wait(POLLOUT))
      return too_late;
  }
  return {};
}

std::string Wire::receive(std::string& into) {
  std::array<char, 16384> chunk;
  for (;;) {
    ssize_t got = 0;
    if (ssl_) {
      got = SSL_read(ssl_.get(), chunk.data(), chunk.size());
      const int error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), static_cast<int>(got));
      if (error == SSL_ERROR_ZERO_RETURN) return "closed";
      if (got <= 0 && error != SSL_ERROR_WANT_READ) return "the connection broke";
    } else {
      got = ::recv(descriptor_, chunk.data(), chunk.size(), 0);
      if (got == 0) return "closed";
      if (got < 0 && errno != EAGAIN) return std::strerror(errno);
    }
    if (got > 0) {
      into.append(chunk.data(), static_cast<std::size_t>(got));
      return {};
    }
    if (!wait(POLLIN)) return too_late;
  }
}

boshd::Endpoint Wire::local() const {
  boshd::SocketAddress address;
  if (::getsockname(descriptor_, address.get(), &address.size) != 0) return {};
  return address.endpoint();
}

std::string describe_tls(SSL* ssl) {
  return std::string(SSL_get_version(ssl)) + ", " + SSL_get_cipher_name(ssl);
}

long days_left(SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  int days = 0;
  int seconds = 0;
  if (certificate) ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  return days;
}

std::string describe_certificate(SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate) return "no certificate";
  const long days = days_left(ssl);
  return "for " + names_of(certificate) + "; issued by " + issuer_of(certificate) + "; " +
         (days < 0 ? "expired " + std::to_string(-days) + " days ago"
                   : "valid for " + std::to_string(days) + " days");
}

}  // namespace boshctl
