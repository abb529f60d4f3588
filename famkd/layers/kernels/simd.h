// Vectors of the processor's width, and maps of bfloat16.
#pragma once
#include <cstdint>
#include <cstring>

namespace {

// GCC's and Clang's vector types, as wide as the processor's registers.
#if defined(__AVX512F__)
constexpr long kBytes = 64;
#elif defined(__AVX__)
constexpr long kBytes = 32;
#else
constexpr long kBytes = 16;
#endif
template <class T> struct Simd;
template <> struct Simd<float> {
  typedef float Vec __attribute__((vector_size(kBytes)));
  typedef int32_t Mask __attribute__((vector_size(kBytes)));
};
template <> struct Simd<double> {
  typedef double Vec __attribute__((vector_size(kBytes)));
  typedef int64_t Mask __attribute__((vector_size(kBytes)));
};
template <class T> using Vec = typename Simd<T>::Vec;
template <class T> using Mask = typename Simd<T>::Mask;
template <class T> constexpr long kLanes = kBytes / sizeof(T);

template <class T> Vec<T> load(const T* from) {
  Vec<T> x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class T> void store(T* to, Vec<T> x) { std::memcpy(to, &x, sizeof x); }

// Lanes of a and, from kLanes<T> on, of b.
template <class T> Vec<T> shuffle(Vec<T> a, Vec<T> b, Mask<T> lanes) {
#ifdef __clang__
  Vec<T> x;
  for (long i = 0; i < kLanes<T>; ++i)
    x[i] = lanes[i] < kLanes<T> ? a[lanes[i]] : b[lanes[i] - kLanes<T>];
  return x;
#else
  return __builtin_shuffle(a, b, lanes);
#endif
}

// Complex numbers, real and imaginary parts in vectors of their own, to memory and back.
template <class T> void write_complex(Vec<T> re, Vec<T> im, T* to, long lanes) {
  Mask<T> low, high;
  for (long i = 0; i < kLanes<T>; ++i) {
    low[i] = i / 2 + i % 2 * kLanes<T>;
    high[i] = low[i] + kLanes<T> / 2;
  }
  const Vec<T> numbers[] = {shuffle<T>(re, im, low), shuffle<T>(re, im, high)};
  std::memcpy(to, numbers, lanes == kLanes<T> ? sizeof numbers : 2 * lanes * sizeof(T));
}
template <class T> void read_complex(const T* from, Vec<T>& re, Vec<T>& im, long lanes) {
  Mask<T> even, odd;
  for (long i = 0; i < kLanes<T>; ++i) {
    even[i] = 2 * i;
    odd[i] = 2 * i + 1;
  }
  Vec<T> numbers[2] = {};
  std::memcpy(numbers, from, lanes == kLanes<T> ? sizeof numbers : 2 * lanes * sizeof(T));
  re = shuffle<T>(numbers[0], numbers[1], even);
  im = shuffle<T>(numbers[0], numbers[1], odd);
}

struct BFloat16 {
  uint16_t bits;  // the upper half of a float
};

// Lanes of a map as the type they are computed in, and back.
template <class T> void read(const T* from, T* to, long lanes) {
  if (lanes == kLanes<T>)  // as a rule; of a constant the compiler makes one instruction
    std::memcpy(to, from, kBytes);
  else
    std::memcpy(to, from, lanes * sizeof(T));
}
inline void read(const BFloat16* from, float* to, long lanes) {
  for (long i = 0; i < lanes; ++i) {
    const uint32_t bits = uint32_t(from[i].bits) << 16;
    std::memcpy(&to[i], &bits, sizeof bits);
  }
}
template <class T> void write(const T* from, T* to, long lanes) { read(from, to, lanes); }
inline void write(const float* from, BFloat16* to, long lanes) {
  for (long i = 0; i < lanes; ++i) {
    uint32_t bits;
    std::memcpy(&bits, &from[i], sizeof bits);
    const uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;  // ties to even
    to[i].bits = (bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : nearest;
  }
}

}  // namespace
