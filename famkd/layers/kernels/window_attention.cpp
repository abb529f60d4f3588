// Window attention on the CPU, forward and backward: see window_attention in
// attention.py for the formula. One thread takes one plane (n, c) at a time and
// walks through it as a flat array, a SIMD vector of positions at a time. Maps of
// bfloat16 are widened and rounded plane by plane, in the cache.
#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "simd.h"

namespace {

// x where the mask is set, else +0, whatever x is (NaN too).
template <class T> Vec<T> select(Mask<T> mask, Vec<T> x) {
  return (Vec<T>)((Mask<T>)x & mask);
}

// 2^x for x <= 0; NaN stays NaN.
inline Vec<float> exp2(Vec<float> x) {
  const Vec<float> lowest = Vec<float>{} - 126.f;
  x = lowest > x ? lowest : x;
  // Adding 1.5 * 2^23 rounds x to an integer, in the lowest bits of the sum;
  // 127 more is the exponent field of 2^integer.
  const float round = 12582912.f + 127.f;
  const Vec<float> sum = x + round;
  const Vec<float> f = x - (sum - round);  // in [-1/2, 1/2]
  // The polynomial of degree 5 with the least relative error, 7e-8.
  Vec<float> p = 1.32764720e-3f * f + 9.67554133e-3f;
  p = p * f + 5.55071327e-2f;
  p = p * f + 2.40221197e-1f;
  p = p * f + 6.93146967e-1f;
  p = p * f + 1.f;
  return p * (Vec<float>)((Mask<float>)sum << 23);
}
inline Vec<double> exp2(Vec<double> x) {
  for (long lane = 0; lane < kLanes<double>; ++lane) x[lane] = std::exp2(x[lane]);
  return x;
}

constexpr double kLog2e = 1.4426950408889634;

template <class T> struct Map {
  long height, width;
  std::vector<typename std::conditional<sizeof(T) == 4, int32_t, int64_t>::type>
      has_left, has_right;  // all bits set where there is such a neighbour

  Map(long height, long width)
      : height(height), width(width), has_left(size() + kLanes<T>),
        has_right(size() + kLanes<T>) {
    for (long i = 0; i < size(); ++i) {
      has_left[i] = -(i % width != 0);
      has_right[i] = -(i % width != width - 1);
    }
  }
  long size() const { return height * width; }
  // A plane with zeros around it, so that every neighbour can be read.
  long margin() const { return width + 1; }
  long padded_size() const { return size() + 2 * margin() + kLanes<T>; }
  // Neighbour ab = 3 * a + b of position i is at i + offset(ab).
  long offset(int ab) const { return (ab / 3 - 1) * width + ab % 3 - 1; }
  // The masks of the columns b = 0, 1, 2 for the vector at position i.
  void masks(long i, Mask<T>* columns) const {
    std::memcpy(&columns[0], &has_left[i], sizeof(Mask<T>));
    columns[1] = ~Mask<T>{};
    std::memcpy(&columns[2], &has_right[i], sizeof(Mask<T>));
  }
};

// A plane of an input: as it is, or widened into a buffer.
template <class T> const T* plane_of(const T* from, T*, long) { return from; }
inline const float* plane_of(const BFloat16* from, float* buffer, long size) {
  read(from, buffer, size);
  return buffer;
}
// Where a plane of an output is computed: in place, or in a buffer.
template <class T> T* place_of(T* to, T*) { return to; }
inline float* place_of(BFloat16*, float* buffer) { return buffer; }
template <class T> void finish(T*, T*, long) {}
inline void finish(const float* buffer, BFloat16* to, long size) {
  write(buffer, to, size);
}

template <class T> struct Softmax {
  Vec<T> exps[9];  // 2^(logit - largest logit)
  Vec<T> inverse_sum;
  Vec<T> out;
};

// Logits are in units of ln 2: q comes multiplied by log2(e).
template <class T>
inline Softmax<T> softmax(Vec<T> q, const Vec<T>* kr, const Vec<T>* v) {
  Softmax<T> s;
  Vec<T> max = q * kr[0];
  for (int ab = 0; ab < 9; ++ab) {
    s.exps[ab] = q * kr[ab];
    max = s.exps[ab] > max ? s.exps[ab] : max;
  }
  Vec<T> sum = {}, out = {};
  for (int ab = 0; ab < 9; ++ab) {
    s.exps[ab] = exp2(s.exps[ab] - max);
    sum += s.exps[ab];
    out += s.exps[ab] * v[ab];
  }
  s.inverse_sum = T(1) / sum;
  s.out = out * s.inverse_sum;
  return s;
}

// k + r and v of the 9 neighbours.
template <class T>
inline void neighbours(const Map<T>& map, long i, const T* key, const T* value,
                       const T* bias, Vec<T>* kr, Vec<T>* v) {
  Mask<T> columns[3];
  map.masks(i, columns);
  for (int ab = 0; ab < 9; ++ab) {
    const long j = i + map.offset(ab);
    kr[ab] = select<T>(columns[ab % 3], load(key + j)) + bias[ab];
    v[ab] = select<T>(columns[ab % 3], load(value + j));
  }
}

template <class T>
void forward_plane(const Map<T>& map, const T* query, const T* key, const T* value,
                   const T* bias, T* out) {
  for (long i = 0; i < map.size(); i += kLanes<T>) {
    const long lanes = std::min(kLanes<T>, map.size() - i);
    Vec<T> kr[9], v[9];
    neighbours(map, i, key, value, bias, kr, v);
    store(out + i, softmax<T>(load(query + i, lanes) * T(kLog2e), kr, v).out, lanes);
  }
}

template <class T, class S>
void forward(const S* query, const S* key, const S* value, const T* bias, S* out,
             long batch, long channels, long height, long width, int threads) {
  const Map<T> map(height, width);
#pragma omp parallel num_threads(threads)
  {
    const long size = map.size();
    std::vector<T> padded(2 * map.padded_size()), buffers(2 * size);
    T* k = padded.data() + map.margin();
    T* v = k + map.padded_size();
    T* buffer = buffers.data();
#pragma omp for
    for (long plane = 0; plane < batch * channels; ++plane) {
      const long at = plane * size;
      read(key + at, k, size);
      read(value + at, v, size);
      const T* q = plane_of(query + at, buffer, size);
      T* o = place_of(out + at, buffer + size);
      forward_plane(map, q, k, v, bias + plane % channels * 9, o);
      finish(o, out + at, size);
    }
  }
}

// The gradients of key or value, as three padded planes: plane b has what the
// queries give to their neighbours in column b of the window, in the row of the
// neighbour, but still in the column of the query.
template <class T> struct Columns {
  T* planes[3];

  Vec<T> sum(long j, const Mask<T>* columns) const {
    return load(planes[1] + j) + select<T>(columns[2], load(planes[0] + j + 1)) +
           select<T>(columns[0], load(planes[2] + j - 1));
  }
};

template <class T> inline void accumulate(bool first, T* to, Vec<T> x) {
  store(to, first ? x : load(to) + x, kLanes<T>);
}

template <class T>
void backward_plane(const Map<T>& map, const T* grad_out, const T* query, const T* key,
                    const T* value, const T* bias, T* grad_query, T* grad_key,
                    T* grad_value, T* grad_bias, const Columns<T>& keys,
                    const Columns<T>& values) {
  Vec<T> grad_r[9] = {};
  for (int b = 0; b < 3; ++b) {
    std::fill_n(keys.planes[b], map.width, T(0));
    std::fill_n(values.planes[b], map.width, T(0));
  }
  // Keys are done once the queries of the next row are. (One vector later, so as
  // not to wait for what has only just been stored.)
  const long lag = ((map.width + kLanes<T>) / kLanes<T> + 1) * kLanes<T>;
  for (long i = 0; i < map.size() + lag; i += kLanes<T>) {
    if (i < map.size()) {
      const long lanes = std::min(kLanes<T>, map.size() - i);
      Vec<T> kr[9], v[9];
      neighbours(map, i, key, value, bias, kr, v);
      const Vec<T> q = load(query + i, lanes);
      const Softmax<T> s = softmax<T>(q * T(kLog2e), kr, v);
      const Vec<T> weight = load(grad_out + i, lanes) * s.inverse_sum;
      Vec<T> grad_q = {};
      // From the lowest row of the window up: positions in it come up first here.
      for (int ab = 8; ab >= 0; --ab) {
        const Vec<T> grad_p = s.exps[ab] * weight;
        const Vec<T> grad_logit = grad_p * (v[ab] - s.out);
        const Vec<T> grad_kr = grad_logit * q;
        grad_q += grad_logit * kr[ab];
        grad_r[ab] += grad_kr;
        const int a = ab / 3, b = ab % 3;
        const long row = i + (a - 1) * map.width;
        accumulate(a == 2, keys.planes[b] + row, grad_kr);
        accumulate(a == 2, values.planes[b] + row, grad_p);
      }
      store(grad_query + i, grad_q, lanes);
    }
    if (i >= lag) {
      const long j = i - lag;
      const long lanes = std::min(kLanes<T>, map.size() - j);
      Mask<T> columns[3];
      map.masks(j, columns);
      store(grad_key + j, keys.sum(j, columns), lanes);
      store(grad_value + j, values.sum(j, columns), lanes);
    }
  }
  for (int ab = 0; ab < 9; ++ab) {
    grad_bias[ab] = 0;
    for (long lane = 0; lane < kLanes<T>; ++lane) grad_bias[ab] += grad_r[ab][lane];
  }
}

template <class T, class S>
void backward(const S* grad_out, const S* query, const S* key, const S* value,
              const T* bias, S* grad_query, S* grad_key, S* grad_value, T* grad_bias,
              long batch, long channels, long height, long width, int threads) {
  const Map<T> map(height, width);
#pragma omp parallel num_threads(threads)
  {
    const long step = map.padded_size(), size = map.size();
    std::vector<T> padded(8 * step), buffers(5 * size);
    T* buffer = buffers.data();
    T* k = padded.data() + map.margin();
    T* v = k + step;
    const Columns<T> keys = {{k + 2 * step, k + 3 * step, k + 4 * step}};
    const Columns<T> values = {{k + 5 * step, k + 6 * step, k + 7 * step}};
#pragma omp for
    for (long plane = 0; plane < batch * channels; ++plane) {
      const long at = plane * size;
      read(key + at, k, size);
      read(value + at, v, size);
      const T* g = plane_of(grad_out + at, buffer, size);
      const T* q = plane_of(query + at, buffer + size, size);
      T* grad_q = place_of(grad_query + at, buffer + 2 * size);
      T* grad_k = place_of(grad_key + at, buffer + 3 * size);
      T* grad_v = place_of(grad_value + at, buffer + 4 * size);
      backward_plane(map, g, q, k, v, bias + plane % channels * 9, grad_q, grad_k,
                     grad_v, grad_bias + plane * 9, keys, values);
      finish(grad_q, grad_query + at, size);
      finish(grad_k, grad_key + at, size);
      finish(grad_v, grad_value + at, size);
    }
  }
}

}  // namespace

// Maps of type S, computed in T. bias: (C, 9); grad_bias: (N, C, 9), to be summed over
// N; the rest (N, C, H, W).
#define EXPORT(T, S, suffix)                                                         \
  extern "C" void forward_##suffix(const S* query, const S* key, const S* value,     \
                                   const T* bias, S* out, long batch, long channels, \
                                   long height, long width, int threads) {           \
    forward(query, key, value, bias, out, batch, channels, height, width, threads);  \
  }                                                                                  \
  extern "C" void backward_##suffix(                                                 \
      const S* grad_out, const S* query, const S* key, const S* value,               \
      const T* bias, S* grad_query, S* grad_key, S* grad_value, T* grad_bias,        \
      long batch, long channels, long height, long width, int threads) {             \
    backward(grad_out, query, key, value, bias, grad_query, grad_key, grad_value,    \
             grad_bias, batch, channels, height, width, threads);                    \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
