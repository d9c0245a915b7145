// SPDX-License-Identifier: MIT
// The clients' lives, and the table of what they do.
#include "cast.h"

#include <algorithm>
#include <numeric>

#include "scenes.h"

namespace distributex::soak {

namespace {

constexpr SceneRow rows[] = {
    {"get", 30, get_and_release},
    {"wait", 30, wait_and_release},
    {"keep", 3, keep_by_renewing},
    {"forget", 4, forget},
    {"twins", 3, ask_twice_as_one},
    {"line", 1, stand_in_line},
    {"leave", 10, leave_while_waiting},
    {"half", 3, leave_half_a_request},
    {"idle", 1, stay_idle},
    {"flood", 1, flood_while_waiting},
    {"pipeline", 5, pipeline},
    {"garbage", 5, send_garbage},
    {"mistake", 4, send_mistakes},
    {"look", 6, look_around},
    {"follow", 2, follow_events},
    {"not-read", 1, follow_and_not_read},
    {"hold", 5, hold_by_connection},
    {"reboot", 5, reboot_a_node},
    {"apply", 5, apply_a_plan},
    {"freeze", 2, freeze_and_thaw},
    {"evict", 3, evict_a_holder},
    {"pattern", 10, make_and_forget},
    {"program", 1, run_program},
};

const SceneRow& any_scene(Choices& dice) {
  constexpr unsigned all =
      std::accumulate(std::begin(rows), std::end(rows), 0U,
                      [](unsigned sum, const SceneRow& row) { return sum + row.weight; });
  uint64_t left = dice.below(all);
  for (const SceneRow& row : rows) {
    if (left < row.weight) {
      return row;
    }
    left -= row.weight;
  }
  return rows[0];
}

// Chooses the first service more often than the others: that one is checked for growth.
Service& any_service(World& world, Choices& dice) {
  const uint64_t number = dice.below(4);
  return *world.services[number < world.services.size() ? number : 0];
}

}  // namespace

std::span<const SceneRow> scene_rows() { return rows; }

const PoolRow& Actor::mortal_pool() {
  for (;;) {
    const PoolRow& row = any_pool();
    if (row.expire != 0) {
      return row;
    }
  }
}

bool Actor::is_excused(Time since) const {
  if (service->trouble().excuses(since)) {
    return true;
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return service->trouble().excuses(since);
}

void Actor::pause(milliseconds most) {
  std::this_thread::sleep_for(
      std::chrono::microseconds(dice.below(static_cast<uint64_t>(most.count()) * 1000)));
}

Cast::Cast(World& world) : world_(world), played_(std::size(rows)) {
  for (size_t i = 0; i < world.settings.clients; i++) {
    threads_.emplace_back([this, i] { be_client(i); });
  }
}

void Cast::stop() {
  {
    const std::lock_guard guard(lock_);
    world_.stopping = true;
  }
  change_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

bool Cast::pause() {
  std::unique_lock guard(lock_);
  paused_ = true;
  return change_.wait_for(guard, std::chrono::seconds(60), [this] { return busy_ == 0; });
}

void Cast::go_on() {
  {
    const std::lock_guard guard(lock_);
    paused_ = false;
  }
  change_.notify_all();
}

bool Cast::wait_for_turn() {
  std::unique_lock guard(lock_);
  change_.wait(guard, [this] { return !paused_ || world_.stopping; });
  if (world_.stopping) {
    return false;
  }
  ++busy_;
  return true;
}

void Cast::be_client(size_t number) {
  Actor actor{
      .world = world_, .number = number, .dice = Choices(world_.settings.seed * 1000003 + number)};
  const double share = static_cast<double>(world_.settings.clients) / world_.settings.rate;
  actor.pause(milliseconds(1000));
  while (wait_for_turn()) {
    const auto start = Clock::now();
    play_one(actor);
    {
      const std::lock_guard guard(lock_);
      --busy_;
    }
    change_.notify_all();
    // The pace: each request has its share of the time.
    const double due = share * static_cast<double>(std::max<uint64_t>(actor.requests, 1)) *
                       static_cast<double>(50 + actor.dice.below(101)) / 100;
    std::this_thread::sleep_until(
        start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due)));
  }
}

void Cast::play_one(Actor& actor) {
  actor.scene++;
  actor.requests = 0;
  actor.service = &any_service(world_, actor.dice);
  const SceneRow& row = any_scene(actor.dice);
  row.play(actor);
  ++played_[static_cast<size_t>(&row - std::begin(rows))];
}

std::string Cast::scenes_played() const {
  std::string text;
  for (size_t i = 0; i < played_.size(); i++) {
    text +=
        (i == 0 ? "" : ", ") + std::string(rows[i].name) + " " + std::to_string(played_[i].load());
  }
  return text;
}

}  // namespace distributex::soak
