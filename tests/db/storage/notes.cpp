#include "tests/db/storage/notes.h"

#include <catch2/catch.hpp>
#include <csignal>

namespace chat::test {

const ScratchDatabase& notes_database() {
  static const ScratchDatabase database;
  static const bool made = [] {
    Probe(database.owner().dsn).run(R"(
      create table notes (
        app_id uuid not null, id int not null, body text not null, parent int,
        primary key (app_id, id),
        constraint parent foreign key (app_id, parent) references notes deferrable initially deferred);
      alter table notes enable row level security;
      alter table notes force row level security;
      create policy tenant on notes using (app_id = nullif(current_setting('chat.app_id', true), '')::uuid);
      grant select, insert, update, delete on notes to chat_server;
      create function refuse(sqlstate text, sentence text) returns void language plpgsql as
        $$ begin raise exception using errcode = sqlstate, message = sentence; end $$)");
    return true;
  }();
  (void)made;
  return database;
}

void end_sessions(Probe& outside, const std::string& application_name) {
  outside.run("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = '" +
              application_name + "'");
}

Frozen::Frozen(int pid) : pid_(pid) { REQUIRE(::kill(pid_, SIGSTOP) == 0); }
Frozen::~Frozen() { ::kill(pid_, SIGCONT); }

Error refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  FAIL("was not refused");
  throw std::logic_error("not reached");
}

}  // namespace chat::test
