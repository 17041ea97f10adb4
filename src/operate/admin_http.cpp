#include "src/operate/admin_http.hpp"

#include <algorithm>
#include <array>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <stdexcept>
#include <utility>

#include "src/connection.hpp"
#include "src/http_response.hpp"
#include "src/operate/status_page.hpp"

namespace boshd {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_visitors = 64;
constexpr std::size_t scratch_bytes = std::size_t{16} * 1024;
constexpr std::chrono::seconds request_patience =
    10s;                                              // for a whole request, or an answer that is not fetched
constexpr std::chrono::seconds idle_patience = 150s;  // longer than anybody waits between two scrapes
constexpr HttpLimits limits{.header_bytes = std::size_t{8} * 1024, .header_fields = 100, .body_bytes = 0};

constexpr std::string_view paths =
    "Nothing is served under this path. There are:\n"
    "  /metrics      for Prometheus\n"
    "  /healthz      200 while the process lives\n"
    "  /readyz       200 when new sessions may come here, 404 when they should not, 503 when boshd is stuck\n"
    "  /status       for people\n"
    "  /status.json  the same for programs\n";

struct Answer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body{};
  std::string headers{};
};

Answer ready(ReadyState state) {
  const unsigned status = state == ReadyState::ready ? 200 : state == ReadyState::stuck ? 503 : 404;
  return {.status = status, .body = std::string(to_string(state)) + "\n"};
}

Answer find(const HttpRequest& request, const Monitor& monitor) {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != Method::get && request.method != Method::head)
    return {.status = 405, .body = "Only GET and HEAD are served here.\n", .headers = "Allow: GET, HEAD\r\n"};
  if (path == "/metrics") {
    const MetricsFormat format = metrics_format(request.accept);
    return {.type = std::string(content_type(format)),
            .body = monitor.metrics(format),
            .headers = "Vary: Accept\r\n"};
  }
  if (path == "/healthz") return {.body = "ok\n"};
  if (path == "/readyz") return ready(monitor.ready_state());
  if (path == "/status.json") return {.type = "application/json", .body = monitor.status()};
  if (path == "/status")
    return {.type = "text/html; charset=utf-8",
            .body = std::string(status_page()),
            .headers = "Content-Security-Policy: " + std::string(status_page_policy) +
                       "\r\nReferrer-Policy: no-referrer\r\n"};
  if (path == "/") return {.status = 302, .body = "See /status.\n", .headers = "Location: /status\r\n"};
  return {.status = 404, .body = std::string(paths)};
}

}  // namespace

// --- One connection ---

class AdminHttp::Visitor final : public boost::intrusive_ref_counter<Visitor, boost::thread_unsafe_counter>,
                                 private Watcher {
 public:
  Visitor(AdminHttp& owner, int descriptor)
      : owner_(owner), connection_(owner.loop_, descriptor), timer_(owner.loop_) {}

  void start() {
    if (!connection_.watch(*this)) return close();
    connection_.set_reading(true);
    wait(request_patience);
  }
  bool is_idle() const { return !reader_ && connection_.unsent() == 0; }
  void close() {
    const boost::intrusive_ptr<Visitor> self(this);
    timer_.cancel();
    connection_.close();
    std::erase(owner_.visitors_, self);
  }

 private:
  void on_readable() override {
    const boost::intrusive_ptr<Visitor> self(this);
    std::array<char, scratch_bytes> scratch;
    const auto [outcome, bytes] = connection_.read(scratch);
    if (outcome == Connection::Outcome::again) return;
    if (outcome != Connection::Outcome::done) return close();
    if (!last_) consume({scratch.data(), bytes});
  }

  void on_writable() override {
    const boost::intrusive_ptr<Visitor> self(this);
    after_write(connection_.flush());
  }

  /// Who sends requests without fetching the answers is cut off.
  void consume(std::string_view bytes) {
    while (!bytes.empty() && !last_) {
      if (connection_.unsent() > 0) return close();
      if (!reader_) {
        reader_ = std::make_unique<RequestReader>(limits);
        wait(request_patience);
      }
      bytes.remove_prefix(reader_->read(bytes));
      if (reader_->state() == RequestReader::State::reading) return;
      serve();
    }
  }

  void serve() {
    const std::unique_ptr<RequestReader> reader = std::exchange(reader_, nullptr);
    if (reader->state() == RequestReader::State::complete) {
      last_ = !reader->request().keep_alive;
      return after_write(connection_.write(owner_.answer(reader->request())));
    }
    last_ = true;  // nothing here takes a body
    const unsigned status = reader->state() == RequestReader::State::failed ? reader->status() : 413;
    HttpContext context;
    context.keep_alive = false;
    after_write(connection_.write(simple_response(context, status, {})));
  }

  void after_write(Connection::Outcome outcome) {
    if (outcome == Connection::Outcome::failed) return close();
    if (connection_.unsent() > 0) return wait(request_patience);
    if (last_) connection_.finish_writing();
    wait(last_ ? request_patience : idle_patience);
  }

  void wait(std::chrono::seconds patience) {
    timer_.start_in(patience, [this] { close(); });
  }

  AdminHttp& owner_;
  Connection connection_;
  Timer timer_;
  std::unique_ptr<RequestReader> reader_;
  bool last_ = false;
};

// --- All of them ---

AdminHttp::AdminHttp(Loop& loop, const Listen& listen, const Monitor& monitor)
    : loop_(loop), listen_(listen), monitor_(monitor) {
  try {
    const Listening listening = open_listener(listen_, 1);
    address_ = listening.address;
    acceptor_ = std::make_unique<Acceptor>(loop_, listening.descriptors.front(),
                                           [this](int descriptor, const Peer&) { welcome(descriptor); });
  } catch (const std::runtime_error& error) {
    const bool is_default = listen_.written.file.empty();
    throw std::runtime_error((is_default ? "metrics.address: " : "") + std::string(error.what()));
  }
}

AdminHttp::~AdminHttp() {
  for (const auto& visitor : std::vector(visitors_)) visitor->close();
  clean_up(listen_);
}

/// When there are too many, who has been silent for the longest gives way.
void AdminHttp::welcome(int descriptor) {
  const boost::intrusive_ptr<Visitor> visitor(new Visitor(*this, descriptor));
  if (visitors_.size() >= most_visitors) {
    const auto idle = std::ranges::find_if(visitors_, &Visitor::is_idle);
    if (idle == visitors_.end()) return;
    boost::intrusive_ptr<Visitor>(*idle)->close();
  }
  visitors_.push_back(visitor);
  visitor->start();
}

std::string AdminHttp::answer(const HttpRequest& request) const {
  const Answer found = find(request, monitor_);
  HttpContext context;
  context.keep_alive = request.keep_alive;
  context.version = request.version;
  std::string response;
  append_head(response, context, found.status, found.type, found.body.size(), found.headers);
  return request.method == Method::head ? response : response + found.body;
}

}  // namespace boshd
