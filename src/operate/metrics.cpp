#include "src/operate/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <initializer_list>
#include <map>

namespace boshd {

namespace {

enum class Kind { counter, gauge, histogram };

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

/// The text, and the metric that is being written.
class Page {
 public:
  explicit Page(MetricsFormat format) : format_(format) {}

  void begin(std::string_view name, Kind kind, std::string_view help) {
    constexpr std::string_view total = "_total";
    constexpr std::array<std::string_view, 3> kinds{"counter", "gauge", "histogram"};
    name_ = name;
    // OpenMetrics names a counter without what its samples end with.
    if (format_ == MetricsFormat::open_metrics && kind == Kind::counter) name.remove_suffix(total.size());
    for (const auto& [word, text] :
         {Label{"HELP", help}, Label{"TYPE", kinds[static_cast<std::size_t>(kind)]}})
      out_.append("# ").append(word).append(" ").append(name).append(" ").append(text).append("\n");
  }

  template <std::integral Number>
  void add(Labels labels, Number value) {
    sample({}, labels, std::to_string(value));
  }
  void add(Labels labels, double value) { sample({}, labels, print(value)); }
  void add(Labels labels, const Distribution& times) {
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < times.buckets.size(); ++i) {
      so_far += times.buckets[i];
      const std::string end = i < bucket_ends.size() ? print_end(bucket_ends[i]) : "+Inf";
      sample("_bucket", labels, std::to_string(so_far), Label{"le", end});
    }
    sample("_sum", labels, print(times.seconds()));
    sample("_count", labels, std::to_string(so_far));
  }

  std::string finish() {
    if (format_ == MetricsFormat::open_metrics) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  static std::string print(double value) {
    std::array<char, 40> digits;
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
  }

  /// Written as a float in both formats: a label that changes would begin another series.
  static std::string print_end(std::chrono::microseconds end) {
    const double seconds = std::chrono::duration<double>(end).count();
    std::array<char, 40> digits;
    const auto written =
        std::to_chars(digits.data(), digits.data() + digits.size(), seconds, std::chars_format::fixed);
    const std::string text(digits.data(), written.ptr);
    return text.find('.') == text.npos ? text + ".0" : text;
  }

  void sample(std::string_view suffix, Labels labels, std::string_view value, Label last = {}) {
    out_.append(name_).append(suffix);
    char before = '{';
    const auto label = [&](const Label& one) {
      if (one.name.empty()) return;
      out_.append(1, std::exchange(before, ',')).append(one.name).append("=\"");
      for (const char c : one.value) {
        if (c == '\\' || c == '"') out_ += '\\';
        out_.append(c == '\n' ? "\\n" : std::string_view(&c, 1));
      }
      out_ += '"';
    };
    std::ranges::for_each(labels, label);
    label(last);
    out_.append(before == ',' ? "} " : " ").append(value).append("\n");
  }

  MetricsFormat format_;
  std::string name_;
  std::string out_;
};

// --- Samples with labels ---

void sessions(Page& page, const Readings& now) {
  for (const Transport transport : {Transport::bosh, Transport::websocket})
    page.add({{"transport", to_string(transport)}}, now.totals.sessions(transport));
}

void begun(Page& page, const Readings& now) {
  for (std::size_t i = 0; i < transports; ++i)
    page.add({{"transport", to_string(static_cast<Transport>(i))}}, now.totals.begun[i]);
}

void ended(Page& page, const Readings& now) {
  for (std::size_t i = 0; i < transports; ++i)
    for (std::size_t reason = 0; reason < end_reasons; ++reason)
      page.add({{"transport", to_string(static_cast<Transport>(i))},
                {"reason", to_string(static_cast<EndReason>(reason))}},
               now.totals.ended[i][reason]);
}

void refused(Page& page, const Readings& now) {
  for (std::size_t reason = static_cast<std::size_t>(Refusal::none) + 1; reason < not_begun_reasons; ++reason)
    page.add({{"reason", not_begun_word(reason)}}, now.totals.not_begun[reason]);
}

void requests(Page& page, const Readings& now) {
  for (std::size_t i = 0; i < request_outcomes; ++i)
    page.add({{"outcome", to_string(static_cast<RequestOutcome>(i))}}, now.totals.requests[i]);
}

void bytes(Page& page, const Readings& now) {
  page.add({{"direction", "in"}, {"side", "client"}}, now.totals.client_bytes_in);
  page.add({{"direction", "in"}, {"side", "server"}}, now.totals.server_bytes_in);
  page.add({{"direction", "out"}, {"side", "server"}}, now.totals.server_bytes_out);
  page.add({{"direction", "out"}, {"side", "client"}}, now.totals.client_bytes_out);
}

void by_result(Page& page, const std::array<Distribution, 2>& times) {
  page.add({{"result", "ok"}}, times[1]);
  page.add({{"result", "failed"}}, times[0]);
}

void lags(Page& page, const Readings& now) {
  for (std::size_t i = 0; i < now.threads.size(); ++i)
    page.add({{"thread", std::to_string(i)}}, now.threads[i].lag);
}

/// Of a name that several certificates have, the one that ends first: a label may stand once only.
void certificates(Page& page, const Readings& now) {
  std::map<std::string, WallTime> first;
  for (const CertificateReadings& certificate : now.certificates)
    for (const std::string& name : certificate.names) {
      const auto [known, is_new] = first.emplace(name, certificate.expires);
      if (!is_new) known->second = std::min(known->second, certificate.expires);
    }
  for (const auto& [name, expires] : first) page.add({{"name", name}}, unix_seconds(expires));
}

void problems(Page& page, const Readings& now) {
  for (std::size_t i = 0; i < proxy_problems; ++i)
    page.add({{"problem", to_string(static_cast<ProxyProblem>(i))}}, now.proxy_problem_counts[i]);
}

// --- All of them ---

struct Family {
  std::string_view name;
  Kind kind;
  std::string_view help;
  void (*samples)(Page&, const Readings&);
};

/// `in` is from the client to the server, `out` the other way.
constexpr std::array families{
    Family{"boshd_build_info", Kind::gauge, "Always 1, with the version as a label.",
           [](Page& page, const Readings&) {
             page.add({{"version", BOSHD_VERSION}}, 1);
           }},
    Family{"boshd_sessions", Kind::gauge, "Sessions that there are now.", sessions},
    Family{"boshd_sessions_limit", Kind::gauge, "Sessions that there may be (limits.sessions).",
           [](Page& page, const Readings& now) { page.add({}, now.sessions_limit); }},
    Family{"boshd_sessions_created_total", Kind::counter, "Sessions that have begun.", begun},
    Family{"boshd_sessions_ended_total", Kind::counter, "Sessions that have ended, by the reason in the log.",
           ended},
    Family{"boshd_sessions_refused_total", Kind::counter, "Sessions that were asked for and did not begin.",
           refused},
    Family{"boshd_held_requests", Kind::gauge, "BOSH requests that wait for their answer.",
           [](Page& page, const Readings& now) { page.add({}, now.totals.held_requests); }},
    Family{"boshd_http_connections", Kind::gauge,
           "Connections of clients and proxies; one that has become a WebSocket is none any more.",
           [](Page& page, const Readings& now) { page.add({}, now.totals.http_connections); }},
    Family{"boshd_upstream_connections", Kind::gauge, "Connections to XMPP servers.",
           [](Page& page, const Readings& now) {
             page.add({{"state", "connecting"}}, now.totals.connecting);
             page.add({{"state", "open"}}, now.totals.connected);
           }},
    Family{"boshd_requests_total", Kind::counter, "BOSH requests, by what was made of them.", requests},
    Family{"boshd_polls_cut_total", Kind::counter,
           "BOSH requests whose connection ended before their answer: by a client that left, or by a proxy "
           "that waits for less than session.wait.",
           [](Page& page, const Readings& now) { page.add({}, now.totals.polls_cut); }},
    Family{"boshd_stanzas_total", Kind::counter, "Stanzas and other elements of streams that were passed on.",
           [](Page& page, const Readings& now) {
             page.add({{"direction", "in"}}, now.totals.stanzas_in);
             page.add({{"direction", "out"}}, now.totals.stanzas_out);
           }},
    Family{"boshd_bytes_total", Kind::counter, "Bytes read and written, without those of TLS.", bytes},
    Family{"boshd_stanza_delay_seconds", Kind::histogram,
           "From the read from the server to the write to the client, of the oldest stanza in each answer; "
           "time without a request to answer is not counted.",
           [](Page& page, const Readings& now) { page.add({}, now.totals.stanza_delay); }},
    Family{"boshd_upstream_connect_seconds", Kind::histogram,
           "From a session's turn to connect until its server has opened the stream, or none was found.",
           [](Page& page, const Readings& now) { by_result(page, now.totals.connects); }},
    Family{"boshd_dns_seconds", Kind::histogram,
           "Questions to name servers; that a name does not exist is an answer.",
           [](Page& page, const Readings& now) { by_result(page, now.totals.dns); }},
    Family{"boshd_buffer_bytes", Kind::gauge,
           "What sessions keep: answers for repeated requests, what waits for clients, and for servers.",
           [](Page& page, const Readings& now) {
             page.add({{"kind", "cache"}}, now.totals.cached_bytes);
             page.add({{"kind", "client"}}, now.totals.client_bytes);
             page.add({{"kind", "server"}}, now.totals.server_bytes);
           }},
    Family{"boshd_eventloop_lag_seconds", Kind::gauge,
           "How long a thread's loop took to answer its latest ping; if that is overdue, until now.", lags},
    Family{"boshd_draining", Kind::gauge, "1 while no new sessions begin (drain), else 0.",
           [](Page& page, const Readings& now) { page.add({}, now.draining ? 1 : 0); }},
    Family{"boshd_tls_certificate_expiry_timestamp_seconds", Kind::gauge,
           "When the listeners' certificate for this name ends.", certificates},
    Family{"boshd_config_reloads_total", Kind::counter, "Reloads of the configuration.",
           [](Page& page, const Readings& now) {
             page.add({{"result", "ok"}}, now.reloads.succeeded);
             page.add({{"result", "failed"}}, now.reloads.failed);
           }},
    Family{"boshd_config_last_reload_success", Kind::gauge, "1 if the last reload succeeded, else 0.",
           [](Page& page, const Readings& now) { page.add({}, now.reloads.ok ? 1 : 0); }},
    Family{"boshd_config_last_reload_timestamp_seconds", Kind::gauge,
           "When the configuration was read that is in use.",
           [](Page& page, const Readings& now) { page.add({}, unix_seconds(now.reloads.loaded)); }},
    Family{"boshd_login_failures_total", Kind::counter, "Passwords that servers have refused.",
           [](Page& page, const Readings& now) { page.add({}, now.totals.login_failures); }},
    Family{"boshd_proxy_problems_total", Kind::counter,
           "Requests that showed that something is wrong with a proxy in front of boshd.", problems},
    Family{"process_cpu_seconds_total", Kind::counter, "CPU time used.",
           [](Page& page, const Readings& now) { page.add({}, now.process.cpu_seconds); }},
    Family{"process_resident_memory_bytes", Kind::gauge, "Resident memory.",
           [](Page& page, const Readings& now) { page.add({}, now.process.resident); }},
    Family{"process_virtual_memory_bytes", Kind::gauge, "Virtual memory.",
           [](Page& page, const Readings& now) { page.add({}, now.process.virtual_size); }},
    Family{"process_open_fds", Kind::gauge, "Open descriptors.",
           [](Page& page, const Readings& now) { page.add({}, now.process.open_files); }},
    Family{"process_max_fds", Kind::gauge, "Descriptors that may be open.",
           [](Page& page, const Readings& now) { page.add({}, now.process.max_files); }},
    Family{"process_start_time_seconds", Kind::gauge, "When the process began.",
           [](Page& page, const Readings& now) { page.add({}, now.process.started); }},
};

}  // namespace

MetricsFormat metrics_format(std::string_view accept) {
  const bool open = accept.find("application/openmetrics-text") != accept.npos;
  return open ? MetricsFormat::open_metrics : MetricsFormat::prometheus;
}

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(const Readings& now, MetricsFormat format) {
  Page page(format);
  for (const Family& family : families) {
    page.begin(family.name, family.kind, family.help);
    family.samples(page, now);
  }
  return page.finish();
}

std::vector<std::string_view> metric_names() {
  std::vector<std::string_view> names;
  names.reserve(families.size());
  for (const Family& family : families) names.push_back(family.name);
  return names;
}

}  // namespace boshd
