// SPDX-License-Identifier: MIT
// Spoilt HTTP against the real daemon, DISTRIBUTEXD, which should be built with
// sanitizers.
//
//     http SEEDS OUT    fuzzes for FUZZ_HTTP_SECS (1200) seconds from the files of
//                       SEEDS; FUZZ_HTTP_SEED is the seed of its choices
//     http FILE         repeats the steps of a finding in OUT
//
// Exit 0: nothing was wrong; 1: a finding was written to OUT.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "http_mutation.h"
#include "http_run.h"

namespace distributex::fuzz {

namespace {

using std::chrono::seconds;
using test::Clock;

volatile sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* text = getenv(name);
  return text && *text ? strtoull(text, nullptr, 10) : otherwise;
}

std::vector<std::string> read_seeds(const char* folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    names.push_back(file.path().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> seeds;
  for (const std::string& name : names) {
    seeds.push_back(test::read_whole_file(name));
  }
  return seeds;
}

int tell(const std::string& fault, const HttpRun& run) {
  printf("fuzz-http: WRONG: %s\nfuzz-http: the daemon's log ends so:\n%s", fault.c_str(),
         run.log_end().c_str());
  return 1;
}

int replay(const char* file) {
  const auto steps = steps_of(test::read_whole_file(file));
  HttpRun run;
  if (!steps || !run.start(std::random_device()())) {
    printf("fuzz-http: cannot start with %s\n", file);
    return 1;
  }
  std::string fault = run.play(*steps);
  if (fault.empty()) {
    fault = run.finish();
  }
  if (!fault.empty()) {
    return tell(fault, run);
  }
  printf("fuzz-http: nothing was wrong; %s\n", run.figures().c_str());
  return 0;
}

std::string play_for(seconds length, Mutator& mutator, HttpRun& run) {
  const auto end = Clock::now() + length;
  auto next_report = Clock::now() + seconds(60);
  for (size_t batches = 1; Clock::now() < end && !interrupted; batches++) {
    std::string fault = run.play(mutator.batch());
    if (!fault.empty()) {
      return fault;
    }
    if (Clock::now() < next_report) {
      continue;
    }
    next_report += seconds(60);
    printf("fuzz-http: %zu batches, %s\n", batches, run.figures().c_str());
    fflush(stdout);
  }
  return "";
}

int fuzz(const char* folder, const std::string& out) {
  const uint64_t seed = number_from("FUZZ_HTTP_SEED", std::random_device()());
  const seconds length(number_from("FUZZ_HTTP_SECS", 1200));
  printf("fuzz-http: %lld s, FUZZ_HTTP_SEED=%llu\n", static_cast<long long>(length.count()),
         static_cast<unsigned long long>(seed));
  fflush(stdout);
  HttpRun run;
  if (!run.start(std::random_device()())) {
    return 1;
  }
  Mutator mutator(read_seeds(folder), seed);
  std::string fault = play_for(length, mutator, run);
  printf("fuzz-http: %s\n", run.figures().c_str());
  if (fault.empty()) {
    fault = run.finish();
  }
  if (fault.empty()) {
    printf("fuzz-http: nothing was wrong\n");
    return 0;
  }
  std::filesystem::create_directories(out);
  const std::string file = out + "/http-crash-" + std::to_string(seed);
  test::write_file(file, run.recent());
  tell(fault, run);
  printf("fuzz-http: what was done last is in %s\n", file.c_str());
  return 1;
}

}  // namespace

}  // namespace distributex::fuzz

int main(int argc, char** argv) {
  struct sigaction action {};
  action.sa_handler = distributex::fuzz::on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (argc == 3) {
    return distributex::fuzz::fuzz(argv[1], argv[2]);
  }
  if (argc == 2) {
    return distributex::fuzz::replay(argv[1]);
  }
  fprintf(stderr, "usage: http SEEDS OUT | http FILE\n");
  return 64;
}
