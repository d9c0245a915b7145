// SPDX-License-Identifier: MIT
// A transaction that updates the lock's row has the lock: another transaction that updates
// the row waits until the first one commits, which gives the lock back.
#include "load_peer.h"

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>

namespace bench {

namespace {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, FinishConnection>;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ClearResult>;

Connection connected(const Address& address) {
  const std::string where = "host=127.0.0.1 port=" + std::to_string(address.port) +
                            " dbname=postgres user=postgres sslmode=disable";
  Connection connection(PQconnectdb(where.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    give_up(PQerrorMessage(connection.get()));
  }
  return connection;
}

void check(PGconn* connection, const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    give_up(PQerrorMessage(connection));
  }
}

class PostgresClient final : public Peer, public Watched {
 public:
  PostgresClient(Loop& loop, const Address& address, size_t number)
      : Peer(number), connection_(connected(address)) {
    loop.watch(PQsocket(connection_.get()), *this);
  }

  void take(size_t lock) override {
    ask("BEGIN; UPDATE locks SET holder = 'h" + std::to_string(number()) +
        "', token = token + 1 WHERE name = " + std::to_string(lock));
  }
  void give() override { ask("COMMIT"); }

  void readable() override {
    if (PQconsumeInput(connection_.get()) != 1) {
      give_up(PQerrorMessage(connection_.get()));
    }
    while (PQisBusy(connection_.get()) == 0) {
      const Answer answer(PQgetResult(connection_.get()));
      if (!answer) {
        if (asked_) {
          asked_ = false;
          done();
        }
        return;
      }
      check(connection_.get(), answer.get());
    }
  }

 private:
  void ask(const std::string& query) {
    asked_ = true;
    if (PQsendQuery(connection_.get(), query.c_str()) != 1) {
      give_up(PQerrorMessage(connection_.get()));
    }
  }

  Connection connection_;
  bool asked_ = false;
};

void make_locks(const Address& address, size_t locks) {
  const Connection connection = connected(address);
  const std::string all =
      "DROP TABLE IF EXISTS locks; CREATE TABLE locks (name int PRIMARY KEY, holder text, token "
      "bigint NOT NULL) WITH (fillfactor = 10); INSERT INTO locks SELECT n, NULL, 0 FROM "
      "generate_series(0, " +
      std::to_string(locks - 1) + ") n";
  const Answer answer(PQexec(connection.get(), all.c_str()));
  check(connection.get(), answer.get());
}

std::unique_ptr<Peer> connect_to_postgresql(Loop& loop, const Address& address, size_t number) {
  return std::make_unique<PostgresClient>(loop, address, number);
}

}  // namespace

const Service postgresql{"postgresql", make_locks, connect_to_postgresql};

}  // namespace bench

#else

namespace bench {

const Service postgresql{"postgresql",
                         [](const Address&, size_t) { give_up("built without libpq-dev"); },
                         [](Loop&, const Address&, size_t) { return std::unique_ptr<Peer>(); }};

}  // namespace bench

#endif
