// Sums of squared differences and their gradient: see squared_error.py. Numbers of type S
// are computed in T.
#include <algorithm>

#include "simd.h"

namespace {

template <class T, class S> Vec<T> difference(const S* a, const S* b, long lanes) {
  Vec<T> x, y;
  read(a, (T*)&x, lanes);
  read(b, (T*)&y, lanes);
  return x - y;
}

// sums: one of every chunk, so that no thread count changes the order.
template <class T, class S>
void squared_error(const S* a, const S* b, T* sums, long size, long chunk, int threads) {
#pragma omp parallel for num_threads(threads)
  for (long first = 0; first < size; first += chunk) {
    const long end = std::min(first + chunk, size);
    Vec<T> squares = {};
    for (long i = first; i < end; i += kLanes<T>) {
      const Vec<T> x = difference<T>(a + i, b + i, std::min(kLanes<T>, end - i));
      squares += x * x;
    }
    T sum = 0;
    for (long lane = 0; lane < kLanes<T>; ++lane) sum += squares[lane];
    sums[first / chunk] = sum;
  }
}

template <class T, class S>
void scaled_difference(const S* a, const S* b, const T* factor, S* to, long size,
                       int threads) {
#pragma omp parallel for num_threads(threads)
  for (long i = 0; i < size; i += kLanes<T>) {
    const long lanes = std::min(kLanes<T>, size - i);
    const Vec<T> x = *factor * difference<T>(a + i, b + i, lanes);
    write((const T*)&x, to + i, lanes);
  }
}

}  // namespace

#define EXPORT(T, S, suffix)                                                           \
  extern "C" void squared_error_##suffix(const S* a, const S* b, T* sums, long size,   \
                                         long chunk, int threads) {                    \
    squared_error(a, b, sums, size, chunk, threads);                                   \
  }                                                                                    \
  extern "C" void scaled_difference_##suffix(const S* a, const S* b, const T* factor,  \
                                             S* to, long size, int threads) {          \
    scaled_difference(a, b, factor, to, size, threads);                                \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
