// SPDX-License-Identifier: MIT
// A holder may count on its lease from the moment it was told of the lease until it let go,
// asked for the release, or the lease ended. A token must be higher than that of every grant
// that was answered before this one was asked for. In a mutex it must be higher than those of
// all grants that were answered before, unless an answer came when its lease was over.
#include "support/history.h"

#include <algorithm>

namespace distributex::test {

void History::told(const std::string& pool, const std::string& holder, uint64_t token, Time asked,
                   Time answered, std::optional<Time> ends) {
  Grants& grants = grants_[pool];
  const auto known = std::find_if(grants.begin(), grants.end(), [&](const Grant& g) {
    return g.token == token && g.holder == holder;
  });
  if (known == grants.end()) {
    grants.push_back({holder, token, asked, answered, ends});
    return;
  }
  known->asked = std::min(known->asked, asked);
  if (!ends || (known->ends && *ends > *known->ends)) {
    known->ends = ends;
  }
}

void History::let_go(const std::string& pool, uint64_t token, Time when) {
  for (Grant& grant : grants_[pool]) {
    if (grant.token == token && (!grant.let_go || when < *grant.let_go)) {
      grant.let_go = when;
    }
  }
}

size_t History::grants(const std::string& pool) const {
  const auto it = grants_.find(pool);
  return it == grants_.end() ? 0 : it->second.size();
}

std::map<uint64_t, std::string> History::tokens(const std::string& pool) const {
  std::map<uint64_t, std::string> all;
  const auto it = grants_.find(pool);
  if (it == grants_.end()) {
    return all;
  }
  for (const Grant& grant : it->second) {
    all.emplace(grant.token, grant.holder);
  }
  return all;
}

History::Time History::end_of(const Grant& grant) const {
  Time end = std::min(grant.ends.value_or(Time::max()), grant.let_go.value_or(Time::max()));
  for (const auto& [from, to] : losses_) {
    if (grant.asked <= to) {
      end = std::min(end, std::max(from, grant.answered));
    }
  }
  return end;
}

std::string History::check_exclusion(const std::string& pool, const Grants& grants) const {
  struct Edge {
    Time at;
    int change;
    const Grant* grant;
  };
  std::vector<Edge> edges;
  for (const Grant& grant : grants) {
    if (end_of(grant) <= grant.answered) {
      continue;
    }
    edges.push_back({grant.answered, +1, &grant});
    edges.push_back({end_of(grant), -1, &grant});
  }
  // Ends come before beginnings of the same moment.
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return a.at != b.at ? a.at < b.at : a.change < b.change;
  });
  std::vector<const Grant*> holders;
  for (const Edge& edge : edges) {
    if (edge.change < 0) {
      std::erase(holders, edge.grant);
      continue;
    }
    holders.push_back(edge.grant);
    if (holders.size() <= slots_.at(pool)) {
      continue;
    }
    std::string text = pool + ": too many at once:";
    for (const Grant* holder : holders) {
      text += " " + holder->holder + "/" + std::to_string(holder->token);
    }
    return text;
  }
  return "";
}

std::string History::check_tokens(const std::string& pool, const Grants& grants,
                                  bool in_turn) const {
  std::vector<const Grant*> by_answer;
  std::vector<const Grant*> by_question;
  for (const Grant& grant : grants) {
    by_answer.push_back(&grant);
    by_question.push_back(&grant);
  }
  std::sort(by_answer.begin(), by_answer.end(),
            [](const Grant* a, const Grant* b) { return a->answered < b->answered; });
  const auto wrong = [&](const Grant* before, const Grant* after) {
    return pool + ": token " + std::to_string(after->token) + " of " + after->holder +
           " came after " + std::to_string(before->token) + " of " + before->holder;
  };
  if (in_turn) {
    const Grant* before = nullptr;
    for (const Grant* grant : by_answer) {
      if (end_of(*grant) <= grant->answered) {
        continue;
      }
      if (before && grant->token <= before->token) {
        return wrong(before, grant);
      }
      before = grant;
    }
  }
  std::sort(by_question.begin(), by_question.end(),
            [](const Grant* a, const Grant* b) { return a->asked < b->asked; });
  const Grant* highest = nullptr;
  auto answer = by_answer.begin();
  for (const Grant* grant : by_question) {
    for (; answer != by_answer.end() && (*answer)->answered < grant->asked; ++answer) {
      if (!highest || (*answer)->token > highest->token) {
        highest = *answer;
      }
    }
    if (highest && highest != grant && grant->token <= highest->token) {
      return wrong(highest, grant);
    }
  }
  std::vector<uint64_t> tokens;
  for (const Grant& grant : grants) {
    tokens.push_back(grant.token);
  }
  std::sort(tokens.begin(), tokens.end());
  const auto twin = std::adjacent_find(tokens.begin(), tokens.end());
  return twin == tokens.end() ? "" : pool + ": token " + std::to_string(*twin) + " twice";
}

std::string History::check_floor(const std::string& pool, const Grants& grants) const {
  const auto floor = floors_.find(pool);
  if (floor == floors_.end()) {
    return "";
  }
  for (const Grant& grant : grants) {
    if (grant.asked < horizon_ || grant.token > floor->second) {
      continue;
    }
    return pool + ": token " + std::to_string(grant.token) + " of " + grant.holder +
           " came after " + std::to_string(floor->second) + ", which is settled";
  }
  return "";
}

std::string History::settle(Time horizon) {
  std::string wrong = verdict();
  Time first_question = horizon;
  for (auto& [pool, grants] : grants_) {
    const auto is_over = [&](const Grant& grant) {
      return grant.answered < horizon && end_of(grant) < horizon;
    };
    uint64_t& floor = floors_[pool];
    for (const Grant& grant : grants) {
      if (is_over(grant)) {
        floor = std::max(floor, grant.token);
      } else {
        first_question = std::min(first_question, grant.asked);
      }
    }
    std::erase_if(grants, is_over);
  }
  std::erase_if(losses_, [&](const auto& loss) { return loss.second < first_question; });
  horizon_ = horizon;
  return wrong;
}

std::string History::verdict() const {
  for (const auto& [pool, grants] : grants_) {
    std::string wrong = check_exclusion(pool, grants);
    if (wrong.empty()) {
      wrong = check_floor(pool, grants);
    }
    if (wrong.empty()) {
      wrong = check_tokens(pool, grants, slots_.at(pool) == 1 && losses_.empty());
    }
    if (!wrong.empty()) {
      return wrong;
    }
  }
  return "";
}

}  // namespace distributex::test
