// SPDX-License-Identifier: MIT
// An allocator for lists, sets and maps whose nodes come and go with each request: a freed
// node is kept and used for the next one, without a call of malloc. Each thread keeps its
// own nodes, a bounded number of each type.
#pragma once

#include <cstddef>
#include <new>

namespace distributex {

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DISTRIBUTEX_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DISTRIBUTEX_SANITIZED
#endif

#ifdef DISTRIBUTEX_SANITIZED
inline constexpr size_t most_kept_nodes = 0;  // so a sanitizer sees the use of a freed node
#else
inline constexpr size_t most_kept_nodes = 256;
#endif

template <typename Node>
class Slab {
 public:
  using value_type = Node;

  Slab() = default;
  template <typename Other>
  Slab(const Slab<Other>&) {}  // NOLINT(google-explicit-constructor): what containers ask for

  Node* allocate(size_t count) {
    if (count != 1 || !kept_) {
      return static_cast<Node*>(::operator new(count * sizeof(Node)));
    }
    void* node = kept_;
    kept_ = kept_->next;
    --kept_count_;
    return static_cast<Node*>(node);
  }
  void deallocate(Node* node, size_t count) {
    if (count != 1 || kept_count_ >= most_kept_nodes) {
      return ::operator delete(node);
    }
    kept_ = new (node) Kept{kept_};
    ++kept_count_;
  }

  template <typename Other>
  bool operator==(const Slab<Other>&) const {
    return true;
  }

 private:
  struct Kept {
    Kept* next;
  };
  // NOLINTNEXTLINE(bugprone-sizeof-expression): a node may be a pointer
  static_assert(sizeof(Node) >= sizeof(Kept) && alignof(Node) <= alignof(std::max_align_t));

  // NOLINTBEGIN(readability-identifier-naming): these are members, and private
  static inline constinit thread_local Kept* kept_ = nullptr;
  static inline constinit thread_local size_t kept_count_ = 0;
  // NOLINTEND(readability-identifier-naming)
};

}  // namespace distributex
