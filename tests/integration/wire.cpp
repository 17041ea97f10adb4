#include "tests/integration/wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace integration {

namespace {

bool wait(int descriptor, short events, std::chrono::milliseconds limit = patience) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, static_cast<int>(limit.count())) == 1;
}

std::string error_text() {
  return std::strerror(errno);
}

std::string tls_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return reason ? reason : "closed";
}

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

/// Every certificate in a PEM text.
template <class Use>
void each_certificate(const std::string& pem, Use use) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    use(certificate);
    X509_free(certificate);
  }
  BIO_free(bio);
}

int take_first_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                        unsigned, void*) {
  *out = offered + 1;
  *size = offered[0];
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

bool wait_readable(int descriptor) {
  return wait(descriptor, POLLIN);
}
bool is_readable(int descriptor) {
  return wait(descriptor, POLLIN, {});
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 600;
  if (text.size() <= most) return std::string(text);
  return std::string(text.substr(0, most)) + "… (" + std::to_string(text.size()) + " bytes)";
}

void Descriptor::close() {
  if (value_ >= 0) ::close(std::exchange(value_, -1));
}

Wire::Wire(Descriptor socket) : socket_(std::move(socket)) {
  const int on = 1;  // no TCP socket: fails, and does not matter
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Wire Wire::connect(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Failure("connect to port " + std::to_string(port) + ": " + error_text());
  return Wire(std::move(socket));
}

Wire Wire::connect(const std::string& path) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Failure("connect to " + path + ": " + error_text());
  return Wire(std::move(socket));
}

// --- TLS ---

void SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

void Wire::shake_hands() {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
  SSL_set_fd(ssl_.get(), socket_.get());
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return;
    const int error = SSL_get_error(ssl_.get(), result);
    const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (!waits) throw Failure("handshake: " + tls_error());
    if (!wait(socket_.get(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT))
      throw Failure("no handshake in time");
  }
}

void Wire::start_tls(const TlsClient& client) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (client.max_version != 0) SSL_CTX_set_max_proto_version(context.get(), client.max_version);
  each_certificate(client.ca,
                   [&](X509* one) { X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), one); });
  if (!client.ca.empty()) SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  ssl_.reset(SSL_new(context.get()));
  SSL_set_connect_state(ssl_.get());
  if (!client.name.empty()) {
    SSL_set_tlsext_host_name(ssl_.get(), client.name.c_str());
    if (!client.ca.empty()) SSL_set1_host(ssl_.get(), client.name.c_str());
  }
  if (!client.protocols.empty())
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(client.protocols.data()),
                        static_cast<unsigned>(client.protocols.size()));
  shake_hands();
}

void Wire::accept_tls(const Identity& identity, bool answers_alpn, int max_version) {
  const Context context(SSL_CTX_new(TLS_server_method()));
  if (max_version != 0) {
    SSL_CTX_set_max_proto_version(context.get(), max_version);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  }
  bool first = true;
  each_certificate(identity.chain, [&](X509* one) {
    if (std::exchange(first, false))
      SSL_CTX_use_certificate(context.get(), one);
    else
      SSL_CTX_add1_chain_cert(context.get(), one);
  });
  BIO* bio = BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context.get(), key);
  EVP_PKEY_free(key);
  BIO_free(bio);
  if (answers_alpn) SSL_CTX_set_alpn_select_cb(context.get(), take_first_protocol, nullptr);
  ssl_.reset(SSL_new(context.get()));
  SSL_set_accept_state(ssl_.get());
  shake_hands();
}

std::string Wire::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

std::string Wire::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

// --- Bytes ---

std::size_t Wire::send_some(std::string_view bytes) {
  if (ssl_) {
    std::size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1) return written;
    if (SSL_get_error(ssl_.get(), 0) == SSL_ERROR_WANT_WRITE) return 0;
    throw Failure("send by TLS: " + tls_error());
  }
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  throw Failure("send: " + error_text());
}

void Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t sent = send_some(bytes);
    bytes.remove_prefix(sent);
    if (sent == 0 && !wait(socket_.get(), POLLOUT)) throw Failure("the other end takes nothing");
  }
}

/// False at the end.
bool Wire::read_more(std::string_view wanted) {
  const bool kept = ssl_ && SSL_pending(ssl_.get()) > 0;
  if (!kept && !wait(socket_.get(), POLLIN))
    throw Failure("waited in vain for " + std::string(wanted) + "; so far: " + excerpt(buffer_));
  std::array<char, 65536> chunk;
  if (ssl_) {
    std::size_t read = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), chunk.data(), chunk.size(), &read);
    if (result != 1)
      return SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;  // a ticket, for instance
    buffer_.append(chunk.data(), read);
    return true;
  }
  const auto got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
  if (got > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::string Wire::read_until(std::string_view mark) {
  std::size_t from = 0;
  for (;;) {
    const auto found = buffer_.find(mark, from);
    if (found != std::string::npos) return read(found + mark.size());
    from = buffer_.size() < mark.size() ? 0 : buffer_.size() - mark.size() + 1;
    if (!read_more(mark))
      throw Failure("closed before " + std::string(mark) + "; so far: " + excerpt(buffer_));
  }
}

std::string Wire::read(std::size_t bytes) {
  while (buffer_.size() < bytes)
    if (!read_more(std::to_string(bytes) + " bytes")) throw Failure("closed after: " + excerpt(buffer_));
  std::string result = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return result;
}

std::string Wire::read_to_end() {
  while (read_more("the end")) {
  }
  return std::exchange(buffer_, {});
}

std::optional<std::string> Wire::read_available() {
  while (is_readable(socket_.get()))
    if (!read_more("what is there")) return std::nullopt;
  return std::exchange(buffer_, {});
}

bool Wire::readable_within(std::chrono::milliseconds limit) const {
  return !buffer_.empty() || (ssl_ && SSL_pending(ssl_.get()) > 0) || wait(socket_.get(), POLLIN, limit);
}
bool Wire::writable() const {
  return wait(socket_.get(), POLLOUT, {});
}

void Wire::finish() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(socket_.get(), SHUT_WR);
}

void Wire::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Wire::set_send_buffer(int bytes) {
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

}  // namespace integration
