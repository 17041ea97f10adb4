#include "boshctl/client.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace boshctl {

namespace {

/// A socket that closes itself.
class Socket {
 public:
  Socket() : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { ::close(descriptor_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string owner_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "only root and boshd's own user may look into its directory";
  const passwd* user = ::getpwuid(status.st_uid);
  const std::string user_name = user ? user->pw_name : std::to_string(status.st_uid);
  const group* members = ::getgrgid(status.st_gid);
  const std::string group_name = members ? members->gr_name : std::to_string(status.st_gid);
  return "it belongs to user " + user_name + " and group " + group_name;
}

[[noreturn]] void explain(const std::string& path, int error) {
  if (error == EACCES || error == EPERM)
    throw Failure("you may not use " + path + ": " + owner_of(path) +
                  "; run boshctl with sudo, or as a member of that group");
  if (error == ENOENT || error == ECONNREFUSED)
    throw Failure(
        "boshd does not run, or its control socket is not " + path +
        ": start it (systemctl start boshd), or name [control] socket of its configuration with -s");
  if (error == EAGAIN) throw Failure("boshd does not answer on " + path + "; look into its log");
  throw Failure("can't reach boshd on " + path + ": " + std::strerror(error));
}

void connect(const Socket& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Failure("the name of the socket is too long: " + path);
  path.copy(address.sun_path, path.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    explain(path, errno);
}

}  // namespace

std::string default_socket() {
  const char* given = std::getenv("BOSHD_CONTROL");
  return given && *given ? given : "/run/boshd/control.sock";
}

void ask(const std::string& path, std::string_view command,
         const std::function<bool(std::string_view line)>& take) {
  const Socket socket;
  connect(socket, path);
  std::string left(command);
  left += '\n';
  while (!left.empty()) {
    const ssize_t sent = ::send(socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) explain(path, errno);
    left.erase(0, static_cast<std::size_t>(sent));
  }
  std::string text;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t got = ::recv(socket.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', from)) {
      if (!take(std::string_view(text).substr(from, end - from))) return;
      from = end + 1;
    }
    text.erase(0, from);
  }
}

}  // namespace boshctl
