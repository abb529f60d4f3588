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

struct BFloat16 {
  uint16_t bits;  // the upper half of a float
};
inline float widened(BFloat16 x) {
  const uint32_t bits = uint32_t(x.bits) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}
typedef uint16_t HalfBits __attribute__((vector_size(kBytes / 2)));
typedef uint32_t Bits __attribute__((vector_size(kBytes)));

// A vector of numbers as the type they are computed in, and back.
template <class T> Vec<T> widened(const T* from) { return load(from); }
inline Vec<float> widened(const BFloat16* from) {
  HalfBits upper;
  std::memcpy(&upper, from, sizeof upper);
  return (Vec<float>)(__builtin_convertvector(upper, Bits) << 16);
}
template <class T> void narrow(Vec<T> x, T* to) { store(to, x); }
inline void narrow(Vec<float> x, BFloat16* to) {
  const Bits bits = (Bits)x;
  const Bits nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;  // ties to even
  const Bits rounded = (bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : nearest;
  const HalfBits upper = __builtin_convertvector(rounded, HalfBits);
  std::memcpy(to, &upper, sizeof upper);
}

// `each` numbers of every lane, to vectors and back, which are written and read whole:
// lanes that are not there are zeros.
template <long each = 1, class S, class T>
void read(const S* from, T* to, long lanes) {
  const auto all = [to](const S* at) {
    for (long i = 0; i < each * kLanes<T>; i += kLanes<T>) store(to + i, widened(at + i));
  };
  if (lanes == kLanes<T>) return all(from);
  S some[each * kLanes<T>] = {};
  std::memcpy(some, from, each * lanes * sizeof(S));
  all(some);
}
template <long each = 1, class T, class S>
void write(const T* from, S* to, long lanes) {
  const auto all = [from](S* at) {
    for (long i = 0; i < each * kLanes<T>; i += kLanes<T>) narrow(load(from + i), at + i);
  };
  if (lanes == kLanes<T>) return all(to);
  S some[each * kLanes<T>];
  all(some);
  std::memcpy(to, some, each * lanes * sizeof(S));
}

// Complex numbers, real and imaginary parts in vectors of their own, to memory and back.
template <class T, class S>
void write_complex(Vec<T> re, Vec<T> im, S* to, long lanes) {
  Mask<T> low, high;
  for (long i = 0; i < kLanes<T>; ++i) {
    low[i] = i / 2 + i % 2 * kLanes<T>;
    high[i] = low[i] + kLanes<T> / 2;
  }
  const Vec<T> numbers[] = {shuffle<T>(re, im, low), shuffle<T>(re, im, high)};
  write<2>((const T*)numbers, to, lanes);
}
template <class T, class S>
void read_complex(const S* from, Vec<T>& re, Vec<T>& im, long lanes) {
  Mask<T> even, odd;
  for (long i = 0; i < kLanes<T>; ++i) {
    even[i] = 2 * i;
    odd[i] = 2 * i + 1;
  }
  Vec<T> numbers[2] = {};
  read<2>(from, (T*)numbers, lanes);
  re = shuffle<T>(numbers[0], numbers[1], even);
  im = shuffle<T>(numbers[0], numbers[1], odd);
}

}  // namespace
