// SPDX-License-Identifier: Apache-2.0
// Threads of one predict() call: OpenMP, with a thread count per call and none of it visible to the caller afterwards.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace octavo::runtime {

/// Sets the calling thread's OpenMP thread count (which oneDNN reads) and restores it.
class OmpThreads {
 public:
  explicit OmpThreads(int threads) : previous_(omp_get_max_threads()) {
    if (threads != previous_) omp_set_num_threads(threads);
    changed_ = threads != previous_;
  }
  ~OmpThreads() {
    if (changed_) omp_set_num_threads(previous_);
  }
  OmpThreads(const OmpThreads&) = delete;
  OmpThreads& operator=(const OmpThreads&) = delete;

 private:
  int previous_;
  bool changed_ = false;
};

/// The share [begin, end) of `work` items that member `index` of a team of `count` takes; shares differ by at most one.
struct Share {
  std::int64_t begin, end;
};
[[nodiscard]] inline Share share_of(std::int64_t work, int index, int count) {
  const std::int64_t quotient = work / count, rest = work % count;
  const std::int64_t begin = index * quotient + std::min<std::int64_t>(index, rest);
  return {begin, begin + quotient + (index < rest ? 1 : 0)};
}

/// body(thread, begin, end) over a partition of [0, work): on the calling thread alone when that is less than two
/// shares of `grain` items, else on a full team (libgomp ends the threads that a smaller team leaves out), where some
/// members may get nothing. `body` must not throw.
template <class Body>
void parallel_for(int threads, std::int64_t work, std::int64_t grain, const Body& body) {
  if (threads <= 1 || work < 2 || work < 2 * grain) {
    if (work > 0) body(0, std::int64_t{0}, work);
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const Share share = share_of(work, omp_get_thread_num(), omp_get_num_threads());
    if (share.begin < share.end) body(omp_get_thread_num(), share.begin, share.end);
  }
}

}  // namespace octavo::runtime
