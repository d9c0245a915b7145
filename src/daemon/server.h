// SPDX-License-Identifier: MIT
// The pump: the one place that sees engine, backend, doors and connections, and
// carries events and effects between them. Knows no lock rules and no protocol.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "base/handle.h"
#include "daemon/groups.h"
#include "daemon/holds.h"
#include "daemon/reload.h"
#include "daemon/settings.h"
#include "daemon/shutdown.h"
#include "daemon/supervision.h"
#include "daemon/telling.h"
#include "doors/pages/pages.h"
#include "engine/engine.h"
#include "http/server.h"
#include "http/tls.h"
#include "watch/feed.h"
#include "watch/record.h"
#include "watch/sight.h"
#include "watch/standing.h"

namespace distributex {

struct ServerSetup {
  Settings settings;
  std::string config_file;          // is read again at SIGHUP
  ListenArguments listen;           // replace the listen of the settings
  std::vector<Listener> inherited;  // if there are any, they replace both
};

class Server {
 public:
  explicit Server(ServerSetup setup);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens all listeners; an error is one sentence that names the address.
  [[nodiscard]] std::optional<std::string> open();

  // Paths of unix sockets that were opened.
  [[nodiscard]] const std::vector<std::string>& unix_paths() const { return unix_paths_; }

  // Opens what outlives the process. Call it as the user who owns the store.
  [[nodiscard]] std::optional<BackendRefusal> open_backend();

  // Reads the files of certificates and secrets. Call it as the user who will read them
  // again at a reload. An error is one sentence.
  [[nodiscard]] std::optional<std::string> open_trust();

  // Serves until SIGTERM or SIGINT, then until all who wait have their answer. Returns
  // false, and logs why, if the event loop failed before.
  [[nodiscard]] bool run();

 private:
  static void on_signal(int signal, short, void* self) noexcept;
  static void on_timer(int, short, void* self) noexcept;
  static void on_flush(int, short, void* self) noexcept;

  static void on_daily(int, short, void* self) noexcept;

  void take_trust(TrustSetup trust);
  [[nodiscard]] std::vector<std::string> addresses(const Settings& settings) const;
  void warn_of_ends();
  [[nodiscard]] Origin origin(Ticket ticket);
  [[nodiscard]] bool may_look(Ticket ticket, std::string_view pool);
  [[nodiscard]] std::optional<HttpReply> page_refusal(Ticket ticket, const PageRequest& request);
  [[nodiscard]] std::vector<Figure> trust_figures();
  void pump();
  void forget_if_empty(const std::string& pool, Time now);
  // One for each effect of the engine.
  void perform(Answered& answered, Time now);
  void perform(const Acquire& question, Time now);
  void perform(const Release& question, Time now);
  void perform(const Renew& question, Time now);
  void perform(const Order& order, Time now);
  void set_frozen(Answer& answer);
  [[nodiscard]] std::string_view door_name(Ticket ticket);
  [[nodiscard]] std::string name_of_peer(Ticket ticket, const Identity& identity);
  void received(Ticket ticket, const HttpRequest& request);
  void settled(Ticket ticket, const std::function<Consult::Settled(const Sight&, Time now)>& then);
  [[nodiscard]] std::optional<Refused> refuses_lock(Ticket ticket,
                                                    const std::optional<Consult::Wanted>& wanted);
  [[nodiscard]] std::optional<Answer> refuses_look(Ticket ticket, const std::string& pool);
  void submit(Ticket ticket, Command&& command);
  void carry_out(Ticket ticket, Consult::Settled settled);
  void tell(Ticket ticket, const Answer& answer);
  void tell_in_stream(Ticket ticket, Mark mark, const Answer& answer);
  [[nodiscard]] HoldSink make_hold_sink();
  void count_doors();
  void show(Ticket ticket, const PageRequest& request);
  void show_now(Ticket ticket, const PageRequest& request);
  void note_line(const std::string& pool, Time now);
  [[nodiscard]] PageView page_view(Ticket ticket);
  void configure(Time now);
  void adopt_pools();
  void arm_timer();
  void reload();
  void read_again();
  void stop();
  void drain();
  [[nodiscard]] bool is_quiet() const;
  [[nodiscard]] std::optional<std::string> serve_on(Listener listener);
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] BackendSink make_sink();
  [[nodiscard]] HttpEvents make_events();

  ServerSetup setup_;
  Time started_;
  EventBase base_;
  Record record_;
  Engine engine_;
  Groups groups_;
  Telling telling_;
  std::unique_ptr<Backend> backend_;
  Sight sight_;
  Event timer_;
  Event flush_;
  std::vector<Event> signals_;
  Event daily_;
  Tls tls_;
  Http http_;
  size_t tls_transport_;
  Feed feed_;
  Holds holds_;
  Supervision supervision_;
  Shutdown shutdown_;
  std::vector<std::string> unix_paths_;
  std::vector<uint64_t> asked_;  // number of requests, by door
  std::vector<std::string> inherited_addresses_;
  std::time_t certificate_ends_ = 0;  // 0: there is none
  std::optional<std::time_t> crl_ends_;
  std::string by_;  // the text that origin() returns a view of
  std::optional<Time> armed_for_;
  bool pumping_ = false;
  bool successor_listens_ = false;  // the sockets are inherited and outlive this process
};

}  // namespace distributex
